//! Who may do what: one table. Whether a person may *see* a thing is `visibility`'s question; both must say yes.

use crate::words::Role;

/// What a person may want to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// See the cases of one's teams.
    See,
    /// Reply, keep notes, claim, release one's own, close, reopen.
    Answer,
    /// Give cases to people and teams, take them back from others.
    Assign,
    /// Keep accounts.
    Administer,
    /// Erase a person, as the law may oblige the agency to. It is an admin's: they see no content, so nothing of theirs is
    /// in it, while whoever answers could rid themself of what they wrote.
    Erase,
}

/// Whether a role allows an act. An admin keeps accounts and sees no content.
const fn allows(role: Role, act: Act) -> bool {
    matches!(
        (role, act),
        (Role::Agent, Act::See | Act::Answer)
            | (Role::Lead, Act::See | Act::Answer | Act::Assign)
            | (Role::Admin, Act::Administer | Act::Erase)
    )
}

/// Whether any of a person's roles allows an act.
pub fn may(roles: &[Role], act: Act) -> bool {
    roles.iter().any(|role| allows(*role, act))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_sees_no_content_and_a_lead_keeps_no_accounts() {
        assert!(!may(&[Role::Admin], Act::See));
        assert!(!may(&[Role::Admin], Act::Answer));
        assert!(!may(&[Role::Lead], Act::Administer));
        assert!(!may(&[Role::Agent], Act::Assign));
        assert!(!may(&[Role::Agent, Role::Lead], Act::Erase), "who answers does not erase");
        assert!(may(&[Role::Admin, Role::Lead], Act::Administer));
        assert!(!may(&[], Act::See));
    }
}
