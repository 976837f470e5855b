//! What a card asks another certification authority for, as files.

use card_protocol::{Challenge, Der, Guid, message::CertificateRequests};
use domain::{
    issuance::{Issuance, IssuanceStep, Prepared},
    person::UserNumber,
    ports::VaultCiphertext,
    role::Role,
    trail::ByOfficer,
};

use crate::{
    browser::Browser,
    managers::at_desk,
    sign_in::{JANE, janes_card, sign_in},
    test_app::TestApp,
};

/// A card of Jane's that waits for its certificates.
async fn wait_for_certificates(app: &TestApp, guid: Guid) {
    let requests =
        CertificateRequests { authentication: Der(vec![0x30, 0]), card_authentication: Der(vec![0x30, 1, 0]) };
    let prepared = Prepared {
        completion: Challenge([1; 32]),
        authentication_key: vec![1],
        card_authentication_key: vec![2],
        requests: Some(requests),
    };
    let person = UserNumber::parse(JANE.0).unwrap();
    let mut transaction = app.store().begin().await.unwrap();
    let by = ByOfficer::only(transaction.person(&person).await.unwrap().unwrap().trail_name());
    let issuance = Issuance {
        guid,
        person,
        by,
        replaces: None,
        unlock_key: VaultCiphertext(vec![3]),
        management_key: VaultCiphertext(vec![4]),
        attempts: 1,
        step: IssuanceStep::Prepared(prepared),
        began_at: domain::Timestamp::UNIX_EPOCH,
        version: 0,
    };
    transaction.insert_issuance(&issuance).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_takes_the_requests_of_a_card_and_nobody_else_does() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let guid = Guid([0xAB; 16]);
    wait_for_certificates(&app, guid).await;
    let (mut agent, _) = at_desk(&app, 7, Role::RaAgent).await;
    let record = agent.get(&format!("/ra/people/{}", JANE.0)).await;
    for (key, name, base64) in [("authentication", "9A", "MAA="), ("card-authentication", "9E", "MAEA")] {
        let address = format!("/ra/cards/request.pem?card={guid}&key={key}");
        assert!(record.body.contains(&address.replace('&', "&amp;")), "{}", record.body);
        let file = agent.get(&address).await;
        assert_eq!(file.status, 200, "{}", file.body);
        assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{guid}-{name}.pem\""));
        assert_eq!(file.header("cache-control"), "no-store");
        let lines: Vec<_> = file.body.lines().collect();
        assert_eq!(lines, ["-----BEGIN CERTIFICATE REQUEST-----", base64, "-----END CERTIFICATE REQUEST-----"]);
    }

    let address = format!("/ra/cards/request.pem?card={guid}&key=authentication");
    let nobody = Browser::new(&app).get(&address).await;
    assert_eq!((nobody.status.as_u16(), nobody.header("location")), (303, "/sign-in?over"));
    let mut cardholder = Browser::new(&app);
    sign_in(&mut cardholder, &card).await;
    assert_eq!(cardholder.get(&address).await.status, 403);
    for unknown in ["card=x&key=authentication".to_owned(), format!("card={}&key=authentication", card.guid)] {
        assert_eq!(agent.get(&format!("/ra/cards/request.pem?{unknown}")).await.status, 422, "{unknown}");
    }
}
