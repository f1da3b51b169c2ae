//! Slugs of the pack, and ids of staff, as people call them.

use domain::{
    ids::StaffId,
    pack::{Named, Pack},
};
use records::Records;

use crate::api::{Name, Person};

/// A kind of case.
pub(crate) fn kind(records: &mut Records, slug: &str) -> anyhow::Result<Name> {
    named(records, slug, Pack::kind)
}

/// A team.
pub(crate) fn team(records: &mut Records, slug: &str) -> anyhow::Result<Name> {
    named(records, slug, Pack::team)
}

/// An outcome.
pub(crate) fn outcome(records: &mut Records, slug: &str) -> anyhow::Result<Name> {
    named(records, slug, Pack::outcome)
}

/// A name as the window takes it.
pub(crate) fn name(name: &domain::pack::Name) -> Name {
    Name { ar: name.ar.clone(), en: name.en.clone() }
}

/// A member of staff.
pub(crate) fn person(records: &Records, staff: StaffId) -> anyhow::Result<Person> {
    let name = records.staff(staff)?.map(|staff| staff.name).unwrap_or_default();
    Ok(Person { staff, name })
}

/// What a later pack no longer knows keeps its slug.
fn named(
    records: &mut Records,
    slug: &str,
    find: impl for<'a> Fn(&'a Pack, &str) -> Option<&'a Named>,
) -> anyhow::Result<Name> {
    let pack = records.pack()?;
    let found = pack.as_ref().and_then(|pack| find(pack, slug)).map(|named| name(&named.name));
    Ok(found.unwrap_or_else(|| Name { ar: slug.to_owned(), en: slug.to_owned() }))
}
