//! What holds for all requests: headers, origins, hosts, sizes; and that no server function takes a passcode.

use std::{fs, net::SocketAddr, path::Path};

use axum::{body::Body, extract::ConnectInfo, http::header};

use crate::{
    browser::{Answer, Browser},
    logs::Log,
    place::write_private,
    test_app::{ORIGIN, TestApp},
};

const SECURITY_HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin-allow-popups"),
    ("strict-transport-security", ""),
];

fn has_security_headers(answer: &Answer) {
    for (name, value) in SECURITY_HEADERS {
        assert_eq!(answer.header(name), value, "{name}: {answer:?}");
    }
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{answer:?}");
    assert!(!answer.header("content-security-policy").contains("upgrade-insecure-requests"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_security_headers_and_is_not_kept() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for (path, status) in [("/", 200), ("/unlock", 200), ("/nothing/here", 404), ("/pkg/nothing.js", 404)] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        has_security_headers(&answer);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let answer = browser.call("unlock/start", &serde_json::json!({})).await;
    assert_eq!(answer.status, 200);
    has_security_headers(&answer);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_load_its_own_scripts_and_reach_the_bridge_and_nothing_else() {
    let app = TestApp::start_with(&[("SERVICE_CENTRE_BRIDGE__PORT", "24999")]).await;
    let mut browser = Browser::new(&app);
    for path in ["/", "/nothing/here"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() >= 16, "{nonce}");
        assert!(answer.body.contains(&format!("nonce=\"{nonce}\"")), "{path}: the page's scripts have the nonce");
        insta::allow_duplicates! {
            insta::assert_snapshot!(policy.replace(nonce, "NONCE"), @"default-src 'none'; script-src 'self' 'nonce-NONCE' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self' ws://127.0.0.1:24999; frame-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'");
        }
        let again = browser.get(path).await;
        assert!(!again.body.contains(nonce), "a nonce is used once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_from_another_site_is_refused() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for (name, value) in [
        (Some(header::ORIGIN.as_str()), "https://evil.example.com"),
        (Some(header::ORIGIN.as_str()), "null"),
        (Some("sec-fetch-site"), "cross-site"),
        (Some("sec-fetch-site"), "same-site"),
        (None, ""),
    ] {
        let mut request = browser.request("POST", "/api/unlock/start").header(header::CONTENT_TYPE, "application/json");
        if let Some(name) = name {
            request = request.header(name, value);
        }
        let answer = browser.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.status, 403, "{name:?}: {value}");
        assert_eq!(answer.header("set-cookie"), "");
        has_security_headers(&answer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_is_refused() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for host in ["evil.example.com", "localhost:3001", "localhost", "localhost:3000.example.com"] {
        let mut request = browser.request("GET", "/").body(Body::empty()).unwrap();
        request.headers_mut().insert(header::HOST, host.parse().unwrap());
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 421, "{host}");
        has_security_headers(&answer);
    }
    let mut request = browser.request("GET", "/").body(Body::empty()).unwrap();
    request.headers_mut().remove(header::HOST);
    assert_eq!(browser.send(request).await.status, 421);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_refused() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    let long = "x".repeat(64 * 1024 + 1);
    assert_eq!(browser.post("register/email", &[("email", &long)]).await.status, 413);
    assert_eq!(browser.submit("register/email", &[("email", &long)]).await.status, 413);
    // Without a length the body is cut off where it is read.
    let mut request = browser.request("POST", "/api/register/email").header("sec-fetch-site", "same-origin");
    request = request.header(header::ACCEPT, "text/html");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(browser.send(request.body(Body::from(format!("email={long}"))).unwrap()).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_stands_in_the_log_without_what_was_in_it() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    let log = Log::start();
    let text = "canary".repeat(20_000);
    let post = browser.post("register/email", &[("email", &text)]).await;
    // Its length is not told.
    let call = browser.call("unlock/answer", &serde_json::json!({ "answers": text })).await;
    assert_eq!((post.status.as_u16(), call.status.as_u16()), (413, 413), "{}", call.body);
    let lines = [&post, &call].map(|answer| log.lines(answer, "a body over the limit was refused").concat());
    assert!(lines.iter().all(|line| line.contains("WARN")), "{lines:?}");
    assert!(lines[0].contains("length=120006"), "{lines:?}");
    assert!(!log.text().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_https_browsers_are_told_to_stay_there() {
    let names = ["vault", "pepper", "challenge", "trail", "service"];
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        write_private(&folder.path().join(name), &"5a".repeat(32));
    }
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let app = TestApp::start_with(&[
        ("SERVICE_CENTRE_PUBLIC_URL", "https://unlock.example.org"),
        ("SERVICE_CENTRE_SECRETS__VAULT_KEY_FILES__1", &file("vault")),
        ("SERVICE_CENTRE_SECRETS__PEPPER_FILES__1", &file("pepper")),
        ("SERVICE_CENTRE_SECRETS__CHALLENGE_KEY_FILE", &file("challenge")),
        ("SERVICE_CENTRE_SECRETS__TRAIL_KEY_FILE", &file("trail")),
        ("SERVICE_CENTRE_SECRETS__SERVICE_KEY_FILE", &file("service")),
        ("SERVICE_CENTRE_CLIENTS__TRUSTED_PROXIES", "127.0.0.1/32"),
        ("SERVICE_CENTRE_RA__TELEPHONE", "0123 456789"),
        ("SERVICE_CENTRE_RA__EMAIL", "ra@unlock.example.org"),
    ])
    .await;
    let mut browser = Browser::new(&app);
    let mut request = browser.request("POST", "/api/unlock/start");
    request = request.header(header::ORIGIN, "https://unlock.example.org");
    let mut request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
    request.headers_mut().insert(header::HOST, "unlock.example.org".parse().unwrap());
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-browser="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let mut request = browser.request("GET", "/unlock?lang=cy").body(Body::empty()).unwrap();
    request.headers_mut().insert(header::HOST, "unlock.example.org".parse().unwrap());
    let chosen = browser.send(request).await;
    let cookie = chosen.header("set-cookie");
    assert!(cookie.starts_with("language=cy;") && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

/// The passcode never leaves the user's machine, and the unlock key is never visible to the page. So no server function
/// may have anything in its signature, nor in a type of its file, that could hold one.
#[test]
fn no_server_function_takes_a_passcode_or_an_unlock_key() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src/server_fns");
    let mut functions = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let source = fs::read_to_string(&file).unwrap();
        functions += source.matches("#[server(").count();
        for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let Some((name, _)) = line.trim_start_matches("pub ").split_once(": ") else { continue };
            let parameters = name.rsplit(['(', ' ', '{', ',']).next().unwrap_or_default().to_lowercase();
            for secret in ["passcode", "password", "pin", "puk", "unlock_key", "secret"] {
                let parts: Vec<&str> = parameters.split('_').collect();
                let found = parts.contains(&secret) || (secret.len() > 4 && parameters.contains(secret));
                assert!(!found, "{}: {line}", file.display());
            }
        }
    }
    let mut paths = leptos::server_fn::axum::server_fn_paths().map(|(path, method)| {
        assert_eq!(method, axum::http::Method::POST, "{path}: what changes something is a POST");
        path
    });
    assert!(paths.all(|path| path.starts_with("/api/")));
    assert_eq!(
        leptos::server_fn::axum::server_fn_paths().count(),
        functions,
        "all server functions are in this folder"
    );
    assert!(functions > 20, "{functions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_posts_too_often_is_told_to_wait_and_others_are_served() {
    let app = TestApp::start_with(&[
        ("SERVICE_CENTRE_CLIENTS__POSTS_A_SECOND", "1"),
        ("SERVICE_CENTRE_CLIENTS__POSTS_AT_ONCE", "2"),
        ("SERVICE_CENTRE_CLIENTS__TRUSTED_PROXIES", "127.0.0.0/8"),
    ])
    .await;
    let browser = Browser::new(&app);
    let proxy = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711)));
    let post = |browser: &Browser, client: &str| {
        let request = browser.request("POST", "/api/unlock/start").header("x-forwarded-for", client);
        let request = request.header(header::ORIGIN, ORIGIN).header(header::CONTENT_TYPE, "application/json");
        request.extension(proxy).body(Body::from("{}")).unwrap()
    };
    // At once, before a second is over.
    let posts = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"].map(|client| {
        let mut browser = browser.clone();
        let request = post(&browser, client);
        async move { browser.send(request).await }
    });
    let mut statuses = Vec::new();
    for answer in futures::future::join_all(posts).await {
        statuses.push(answer.status.as_u16());
        let wait = answer.header("retry-after");
        assert_eq!(wait.parse::<u64>().is_ok(), answer.status == 429, "{answer:?}");
        has_security_headers(&answer);
    }
    assert_eq!(statuses, [200, 200, 429, 200]);
}
