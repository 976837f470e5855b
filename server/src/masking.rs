//! E-mail addresses as they may stand in a log: `ja…@nhs.net`.

use domain::email::EmailAddress;

/// Masks an address.
pub fn masked(address: &EmailAddress) -> String {
    let masked = address.masked();
    format!("{}…{}", masked.start, masked.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_say_whose_address_it_is() {
        assert_eq!(masked(&EmailAddress::parse("jane.smith@nhs.net").unwrap()), "ja…@nhs.net");
    }
}
