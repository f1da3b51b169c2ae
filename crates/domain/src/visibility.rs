//! Who may see what: one predicate, for the live stream, catch-up, search, notifications and every query alike.

use crate::{
    entry::Scope,
    ids::{StaffId, Team},
    permission::{Act, may},
    words::Role,
};

/// A member of staff as far as sight is concerned, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub staff: StaffId,
    /// What they may be.
    pub roles: Vec<Role>,
    /// Where they belong.
    pub teams: Vec<Team>,
    /// Whether the account is in use.
    pub active: bool,
}

/// Who may see a case, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Its one team.
    pub team: Team,
}

/// Whether a person may see what belongs to `scope`. `audience` is the case's, for a case's scope: a case of which
/// nothing is known is seen by nobody.
pub fn visible(viewer: &Viewer, scope: &Scope, audience: Option<&Audience>) -> bool {
    viewer.active
        && match scope {
            Scope::Agency => true,
            Scope::Staff(staff) => *staff == viewer.staff,
            Scope::Case(_) => {
                may(&viewer.roles, Act::See) && audience.is_some_and(|audience| viewer.teams.contains(&audience.team))
            }
        }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::CaseId;

    fn viewer(roles: &[Role], teams: &[&str]) -> Viewer {
        Viewer {
            staff: StaffId(Uuid::from_u128(1)),
            roles: roles.to_vec(),
            teams: teams.iter().map(|team| (*team).to_owned()).collect(),
            active: true,
        }
    }

    #[test]
    fn a_case_is_seen_by_its_team_alone() {
        let case = Scope::Case(CaseId(Uuid::from_u128(2)));
        let bills = Audience { team: "bills".into() };
        assert!(visible(&viewer(&[Role::Agent], &["bills"]), &case, Some(&bills)));
        assert!(!visible(&viewer(&[Role::Agent], &["faults"]), &case, Some(&bills)));
        assert!(!visible(&viewer(&[Role::Admin], &["bills"]), &case, Some(&bills)), "an admin sees no content");
        assert!(!visible(&viewer(&[Role::Agent], &["bills"]), &case, None), "an unknown case is nobody's");
        let gone = Viewer { active: false, ..viewer(&[Role::Lead], &["bills"]) };
        assert!(!visible(&gone, &case, Some(&bills)));
        assert!(!visible(&gone, &Scope::Agency, None));
    }

    #[test]
    fn what_is_mine_is_nobody_elses() {
        let other = Scope::Staff(StaffId(Uuid::from_u128(3)));
        assert!(!visible(&viewer(&[Role::Lead, Role::Admin], &["bills"]), &other, None));
        assert!(visible(&viewer(&[], &[]), &Scope::Staff(StaffId(Uuid::from_u128(1))), None));
    }
}
