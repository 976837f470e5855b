//! A row of the file of people.

use domain::{
    email::EmailAddress, enrolment::NewHolder, import::RowFault, organisation::Organisation, person::UserNumber,
};

/// The first line of the file. The last column may be missing.
pub const HEADER: [&str; 4] = ["user_number", "name", "email", "organisation"];

/// How many columns there are at least.
pub const REQUIRED: usize = 3;

/// The most characters of a name.
const NAME_LIMIT: usize = 200;

/// Reads a row. The address and the organisation may be empty.
pub fn parse([number, name, email, organisation]: &[&str; 4]) -> Result<NewHolder, RowFault> {
    let is_name = (1..=NAME_LIMIT).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    Ok(NewHolder {
        user_number: UserNumber::parse(number).map_err(|_| RowFault::UserNumber)?,
        name: is_name.then(|| (*name).to_owned()).ok_or(RowFault::Name)?,
        email: match *email {
            "" => None,
            email => Some(EmailAddress::parse(email).map_err(|_| RowFault::Email)?),
        },
        organisation: match *organisation {
            "" => None,
            name => Some(Organisation::parse(name).map_err(|_| RowFault::Organisation)?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(row: [&str; 4]) -> Option<RowFault> {
        parse(&row).err()
    }

    #[test]
    fn a_person_may_have_no_address() {
        let person = parse(&["1001", "Zoë Ng", "", ""]).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!((person.user_number.as_str(), person.name.as_str(), person.email), ("1001", "Zoë Ng", None));
    }

    #[test]
    fn what_is_no_person_is_refused() {
        assert_eq!(fault(["10 01", "Zoë Ng", "", ""]), Some(RowFault::UserNumber));
        assert_eq!(fault(["1001", "", "", ""]), Some(RowFault::Name));
        assert_eq!(fault(["1001", "Zoë\r\nBcc: x@example.com", "", ""]), Some(RowFault::Name));
        assert_eq!(fault(["1001", &"z".repeat(201), "", ""]), Some(RowFault::Name));
        assert_eq!(fault(["1001", "Zoë Ng", "zoe", ""]), Some(RowFault::Email));
        assert_eq!(fault(["1001", "Zoë Ng", "", &"z".repeat(101)]), Some(RowFault::Organisation));
    }
}
