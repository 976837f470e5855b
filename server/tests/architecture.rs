//! Who may know whom: the crates of the workspace, and the libraries that stand in one place only.
//!
//! ```text
//! server       -> app[ssr], domain, storage
//! hydrate      -> app[hydrate]
//! app          -> domain (ssr only)
//! storage      -> domain
//! card-bridge  -> piv; virtual-card by the feature virtual-cards only
//! virtual-card -> piv
//! ```
//!
//! Besides, all but `piv` and `virtual-card` may know the words of `card-protocol`, but only `domain` may seal and only
//! `card-bridge` may open.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, as tests do")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// A dependency of a crate of ours, as its manifest says.
struct Dependency {
    name: String,
    is_optional: bool,
    features: BTreeSet<String>,
}

/// The dependencies of each crate of the workspace, without those of its tests.
fn dependencies() -> BTreeMap<String, Vec<Dependency>> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let dependencies = |package: &Value| {
        let normal =
            package["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["kind"].is_null());
        normal
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                is_optional: dependency["optional"] == true,
                features: dependency["features"].as_array().unwrap().iter().map(text).collect(),
            })
            .collect()
    };
    packages.map(|package| (text(&package["name"]), dependencies(package))).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_crate_knows_those_that_it_may_know() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("server", &["app", "card-protocol", "domain", "storage"][..]),
        ("hydrate", &["app"]),
        ("app", &["card-protocol", "domain?"]),
        ("storage", &["card-protocol", "domain"]),
        ("domain", &["card-protocol"]),
        ("card-bridge", &["card-protocol", "piv", "virtual-card?"]),
        ("virtual-card", &["piv"]),
        ("load-generator", &["card-protocol"]),
        ("card-protocol", &[]),
        ("piv", &[]),
    ]);
    let found = dependencies();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), allowed.keys().copied().collect::<Vec<_>>());
    for (package, dependencies) in &found {
        let mut ours: Vec<String> = dependencies
            .iter()
            .filter(|dependency| found.contains_key(&dependency.name))
            .map(|dependency| format!("{}{}", dependency.name, if dependency.is_optional { "?" } else { "" }))
            .collect();
        ours.sort();
        assert_eq!(ours, allowed[package.as_str()], "{package}");
    }
}

#[test]
fn each_crate_takes_the_features_that_are_meant_for_it() {
    let found = dependencies();
    let features = |package: &str, dependency: &str| -> Vec<String> {
        let dependency = found[package].iter().find(|found| found.name == dependency).unwrap();
        dependency.features.iter().cloned().collect()
    };
    assert_eq!(features("server", "app"), ["ssr"]);
    assert_eq!(features("hydrate", "app"), ["hydrate"]);
    assert_eq!(features("domain", "card-protocol"), ["proof", "seal"]);
    assert_eq!(features("card-bridge", "card-protocol"), ["open", "proof"]);
    for package in ["server", "app", "storage"] {
        assert!(features(package, "card-protocol").is_empty(), "{package} neither seals nor opens");
    }
}

#[test]
fn some_libraries_stand_in_one_place_only() {
    let found = dependencies();
    let users = |library: &str| -> Vec<&str> {
        let uses = |dependencies: &[Dependency]| dependencies.iter().any(|dependency| dependency.name == library);
        found.iter().filter(|(_, dependencies)| uses(dependencies)).map(|(package, _)| package.as_str()).collect()
    };
    for (library, place) in [
        ("sea-orm", "storage"),
        ("sea-orm-migration", "storage"),
        ("pcsc", "card-bridge"),
        ("lettre", "server"),
        ("aes-gcm", "server"),
        ("argon2", "server"),
        ("age", "server"),
        ("metrics", "server"),
        ("p384", "domain"),
    ] {
        let is_ours = |user: &&str| !["virtual-card", "load-generator"].contains(user);
        let users: Vec<_> = users(library).into_iter().filter(is_ours).collect();
        assert_eq!(users, [place], "{library}");
    }
}

#[test]
fn the_domain_knows_no_http_sql_templates_clock_or_dice() {
    for library in dependencies()["domain"].iter().map(|dependency| dependency.name.as_str()) {
        let world =
            ["axum", "http", "leptos", "sea-orm", "sqlx", "askama", "lettre", "tokio", "rand", "getrandom", "reqwest"];
        assert!(!world.contains(&library), "{library}");
    }
}

#[test]
fn the_wasm_bundle_carries_neither_the_domain_nor_a_server() {
    let tree = cargo(&[
        "tree",
        "-p",
        "hydrate",
        "--target",
        "wasm32-unknown-unknown",
        "-e",
        "normal",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ]);
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("app") && crates.contains("card-protocol"), "{crates:?}");
    for absent in ["domain", "storage", "server", "axum", "tokio", "sea-orm", "hpke", "p256"] {
        assert!(!crates.contains(absent), "{absent}");
    }
}
