//! The card as any PC/SC program finds it: through a `pcscd` of the test's own and its virtual reader.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::{
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

/// A function to plug a card and wait until PC/SC knows of it, one to wait for a reader's state, and cards to plug.
const PRELUDE: &str = r#"
    set -euo pipefail
    "$VIRTUAL_CARD" make --out "$CARDS" --cards "$CARDS.toml" >/dev/null

    reader() { opensc-tool --list-readers | grep -qE "^0 +$1 "; }
    until_reader() { for _ in $(seq 100); do reader "$1" && return; sleep 0.05; done; return 1; }
    plug() {
        coproc PLUG { exec "$VIRTUAL_CARD" plug --card "$CARDS/one" --port "$VPCD_PORT" "$@"; }
        holder=$PLUG_PID
        read -r line <&"${PLUG[0]}" && [ "$line" = plugged ]
        until_reader Yes
    }
    piv() { yubico-piv-tool --reader Virtual "$@" 2>&1; }
"#;

const LIST: &str = r#"
    [[card]]
    card = "one"
    user_number = "1"
    name = "One"
    email = "one@demo.nhs.net"
    passcode = "904173"
"#;

/// Runs a script beside a PC/SC service of its own.
fn with_pcscd(script: &str) -> Output {
    let directory = TempDir::new().unwrap();
    let cards = directory.path().join("cards");
    std::fs::write(cards.with_extension("toml"), LIST).unwrap();
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("with-pcscd"))
        .args(["timeout", "60", "bash", "-c", &[PRELUDE, script].concat()])
        .env("VIRTUAL_CARD", env!("CARGO_BIN_EXE_virtual-card"))
        .env("CARDS", cards)
        .output()
        .unwrap()
}

/// What a script that succeeded has said.
fn said(script: &str) -> String {
    let output = with_pcscd(script);
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    said.into_owned()
}

#[test]
fn other_programs_find_the_card_and_verify_its_passcode() {
    let said = said(
        "plug
         opensc-tool --name 2>&1
         piv --action status
         piv --action verify-pin --pin 904173
         ! piv --action verify-pin --pin 904174
         piv --action read-certificate --slot 9e >$CARDS/9e.pem
         piv --action test-signature --slot 9e <$CARDS/9e.pem
         openssl verify -CAfile $CARDS/authority.pem $CARDS/9e.pem",
    );
    for expected in [
        "Personal Identity Verification Card",
        "Slot 9a",
        "Slot 9e",
        "PIN tries left:\t3",
        "Successfully verified PIN",
        "2 tries left",
        "Successful ECDSA verification",
        "9e.pem: OK",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn a_card_whose_program_is_killed_remembers_a_wrong_passcode() {
    let said = said(
        "plug
         ! piv --action verify-pin --pin 904174
         kill -KILL $holder
         until_reader No
         wait $holder || true
         plug
         piv --action status
         piv --action verify-pin --pin 904173",
    );
    assert!(said.contains("PIN tries left:\t2"), "{said}");
    assert!(said.contains("Successfully verified PIN"), "{said}");
}

#[test]
fn the_program_that_holds_the_card_is_told_to_end_and_the_card_is_removed() {
    said(
        "plug
         kill -TERM $holder
         until_reader No",
    );
}

#[test]
fn a_card_is_pulled_where_the_fault_says() {
    let said = said(
        "plug --fault pull --when after --instruction 20 --nth 2
         piv --action verify-pin --pin 904174 || true
         until_reader No
         wait $holder || true
         plug
         piv --action status",
    );
    // The first VERIFY has asked for the tries left, the second was executed before the card went.
    assert!(said.contains("PIN tries left:\t2"), "{said}");
}

#[test]
fn a_card_speaks_the_other_dialect() {
    let said = said(
        "plug --dialect strict
         for passcode in 111222 111222 111222; do
             opensc-tool -s 00A4040009A0000003080000100000 -s 0020008008313131323232FFFF 2>&1 | grep Received | tail -1
         done
         opensc-tool -s 00A4040009A0000003080000100000 -s 00200080 2>&1 | grep Received | tail -1",
    );
    let words: Vec<_> = said.lines().filter_map(|line| line.split("SW1=0x").nth(1)).collect();
    assert_eq!(words, ["63, SW2=0xC2)", "63, SW2=0xC1)", "63, SW2=0xC0)", "69, SW2=0x83)"], "{said}");
}

#[test]
fn another_program_finds_a_yubikey_of_the_version_that_it_says() {
    let said = said(
        "plug --kind yubikey-5
         piv --action version
         piv --action status
         ! piv --action verify-pin --pin 904174
         piv --action verify-pin --pin 904173",
    );
    for expected in ["5.3.0", "PIN tries left:\t3", "2 tries left", "Successfully verified PIN"] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn a_kind_that_is_not_in_the_table_is_refused() {
    let card =
        Command::new(env!("CARGO_BIN_EXE_virtual-card")).args(["plug", "--card", "x", "--kind", "another"]).output();
    let complained = String::from_utf8(card.unwrap().stderr).unwrap();
    assert!(complained.contains("one of piv-authenticator, strict"), "{complained}");
}

#[test]
fn two_services_at_once_see_their_own_cards_only() {
    let said = said(
        "plug
         outer=$VPCD_PORT
         export outer
         \"$WITH_PCSCD\" bash -c 'echo inner $((VPCD_PORT != outer)); opensc-tool --list-readers'
         echo outer; opensc-tool --list-readers"
            .replace("$WITH_PCSCD", &format!("{}/with-pcscd", env!("CARGO_MANIFEST_DIR")))
            .as_str(),
    );
    let (inner, outer) = said.split_once("outer\n").unwrap();
    assert!(inner.starts_with("inner 1\n"), "{said}");
    assert!(inner.contains("\n0    No ") && !inner.contains("Yes"), "{said}");
    assert!(outer.contains("\n0    Yes "), "{said}");
}

#[test]
fn the_exit_code_is_passed_on() {
    assert_eq!(with_pcscd("exit 7").status.code(), Some(7));
}
