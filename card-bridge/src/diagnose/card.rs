//! The stages of the card: whether it is there, has the application, and has its keys.

use card_protocol::CardFailure;
use card_protocol::message::{CardExamination, Readers};
use piv::CardError;

use super::{Finding, Stage, with_card};
use crate::examination::examine;
use crate::readers::Afterwards;
use crate::worker::Worker;

/// The findings of all three stages.
pub async fn look(worker: &Worker, readers: &Readers) -> Vec<Finding> {
    let holding = with_card(readers);
    if holding.is_empty() {
        let card = match readers {
            Readers::Running { readers } if !readers.is_empty() => Finding::wrong(
                Stage::Card,
                "No card is in the reader.",
                "Put your smartcard into the reader, with the chip first, until it stops.",
            ),
            _ => Finding::not_looked_at(Stage::Card, "Without a reader no card is seen."),
        };
        return with_rest(card, "There is no card to look at.");
    }
    match worker.carry_out(None, Afterwards::Leave, |card, _| Ok(examine(card))).await {
        Ok(examined) => {
            let mut findings = vec![Finding::well(Stage::Card, &format!("A card is in {}.", holding.join(" and in ")))];
            findings.extend(tell(examined));
            findings
        }
        Err(failure) => with_rest(not_had(&failure), "The card could not be looked at."),
    }
}

fn with_rest(card: Finding, why: &str) -> Vec<Finding> {
    vec![card, Finding::not_looked_at(Stage::Applet, why), Finding::not_looked_at(Stage::Keys, why)]
}

fn tell(examined: Result<CardExamination, CardError>) -> [Finding; 2] {
    let ask_ra = "This card can't be used with the service. Ask your Registration Authority for help.";
    let identified = Finding::well(Stage::Applet, "It is a PIV card, and says which.");
    let keys = match examined {
        Ok(CardExamination::NoApplication) => {
            return [
                Finding::wrong(Stage::Applet, "The card has no PIV application.", ask_ra),
                Finding::not_looked_at(Stage::Keys, "Without the application there are no keys."),
            ];
        }
        Ok(CardExamination::NoIdentity) => {
            return [
                Finding::wrong(Stage::Applet, "The card does not say which card it is.", ask_ra),
                Finding::not_looked_at(Stage::Keys, "Without its identity the card is not used."),
            ];
        }
        Err(error) => return [unanswered(Stage::Applet, error), unanswered(Stage::Keys, error)],
        Ok(CardExamination::NoKeys) => Finding::wrong(
            Stage::Keys,
            "A certificate that the service needs is missing, or is for a kind of key that is not known here.",
            ask_ra,
        ),
        Ok(CardExamination::Complete { tries_left }) => match tries_left {
            Some(0) => Finding::wrong(
                Stage::Keys,
                "Both certificates are there, and the card is locked: no passcode tries are left.",
                "Unlock it in the Smartcard Service Centre.",
            ),
            Some(1) => Finding::wrong(
                Stage::Keys,
                "Both certificates are there, and one passcode try is left.",
                "If you are not sure of your passcode, don't try: set a new one in the Smartcard Service Centre.",
            ),
            Some(tries) => Finding::well(
                Stage::Keys,
                &format!("Both certificates are there, and {tries} passcode tries are left."),
            ),
            None => Finding::well(Stage::Keys, "Both certificates are there."),
        },
    };
    [identified, keys]
}

fn unanswered(stage: Stage, error: CardError) -> Finding {
    Finding::wrong(
        stage,
        &format!("The card did not answer as it should: {error}."),
        "Take the card out, put it in again, and look once more. If it stays so, try another reader.",
    )
}

fn not_had(failure: &CardFailure) -> Finding {
    let (told, advice) = match failure {
        CardFailure::SeveralCards { .. } => ("Several cards are there.", "Leave only your smartcard in a reader."),
        CardFailure::Busy => ("A website is using the card.", "Look again when it has finished."),
        CardFailure::CardInUse { programs } => {
            let told = match programs.as_slice() {
                [] => "Another program is using the card.".to_owned(),
                programs => format!("Another program is using the card, perhaps {}.", programs.join(" or ")),
            };
            return Finding::wrong(Stage::Card, &told, "Close it. If that can't be, restart the computer.");
        }
        CardFailure::CardSilent => {
            ("The card does not answer.", "Take the card out and put it in again. If it stays so, try another reader.")
        }
        CardFailure::UnsupportedCard => (
            "The card does not answer.",
            "Put the card in the other way round, with the chip first. If it stays so, try another reader.",
        ),
        _ => ("The card was taken out meanwhile.", "Put your smartcard into the reader, and look once more."),
    };
    Finding::wrong(Stage::Card, told, advice)
}
