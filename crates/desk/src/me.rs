//! Who is signed in, and what they may do: by the records where they say it, else as the gateway said at sign-in.

use domain::permission::{Act, may};

use crate::{
    api::{Can, Me, Name},
    names,
    seat::Seat,
};

/// Who sits here.
pub(crate) async fn of(seat: &Seat) -> anyhow::Result<Me> {
    let who = seat.who.clone();
    seat.records
        .read(move |records| {
            let known = records.staff(who.staff.id)?;
            let (name, roles, teams) = match known {
                Some(staff) => (staff.name, staff.viewer.roles, staff.viewer.teams),
                None => (who.staff.name, who.staff.roles, who.staff.teams),
            };
            let agency = records.pack()?.map(|pack| names::name(&pack.name));
            let bare = Name { ar: who.agency.name.clone(), en: who.agency.name };
            Ok(Me {
                staff: who.staff.id,
                name,
                can: Can {
                    answer: may(&roles, Act::Answer),
                    assign: may(&roles, Act::Assign),
                    administer: may(&roles, Act::Administer),
                },
                roles,
                teams,
                agency: agency.unwrap_or(bare),
            })
        })
        .await
}
