//! The commands of [`crate::api`], each handed to where it is done.

use std::{sync::atomic::Ordering, time::Duration};

use domain::{
    command::Ask,
    permission::{Act, may},
};

use crate::{
    Desk, acts,
    api::{
        AddNote, Assign, Assignable, AssignableRequest, CallError, Claim, CloseCase, Colleagues, ConversationList,
        ConversationPage, DeskStatus, Discard, FirstStep, FirstSteps, Found, FoundIn, Handler, KeepSearch, LeaveAsNote,
        ListConversations, Lock, Nothing, OpenConversation, OpenLink, Outcome, Outcomes, Person, Phase, PutBack,
        Queued, Recent, Release, ReopenCase, Retry, SaveDraft, SearchAll, SearchIn, SeenUpTo, SendReply, Settings,
        Showing, SignIn, SignOut, Signal, SignedHeads, Start, StartWithSystem, StepDone, Storage, SystemState,
        TakeBack, TakenBack, Unlock, Unsent,
    },
    database::Contents,
    failure::not_found,
    first, link, list, mend, names, notify, precious, presence, search, thread, unsent,
};

impl Handler for Desk {
    async fn start(&self, _: Nothing) -> Result<Start, CallError> {
        let start = self.session_start().await?;
        if start.phase == Phase::Ready {
            self.0.started.store(true, Ordering::Release);
            if let Some(conversation) = self.take_clicked() {
                // The answer has to be there before the signal that builds on it.
                let hub = self.0.hub.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    hub.tell(Signal::Open { conversation });
                });
            }
        }
        Ok(start)
    }

    async fn sign_in(&self, request: SignIn) -> Result<Start, CallError> {
        self.session_sign_in(request).await
    }

    async fn unlock(&self, request: Unlock) -> Result<Start, CallError> {
        self.session_unlock(request).await
    }

    async fn lock(&self, _: Lock) -> Result<Start, CallError> {
        self.session_lock().await
    }

    async fn sign_out(&self, request: SignOut) -> Result<Start, CallError> {
        self.session_sign_out(request).await
    }

    async fn conversations(&self, request: ListConversations) -> Result<ConversationList, CallError> {
        Ok(list::list(&*self.seat()?, request).await?)
    }

    async fn conversation(&self, request: OpenConversation) -> Result<ConversationPage, CallError> {
        thread::page(&*self.seat()?, request).await
    }

    async fn save_draft(&self, request: SaveDraft) -> Result<Nothing, CallError> {
        acts::save_draft(&*self.seat()?, request).await
    }

    async fn send_reply(&self, request: SendReply) -> Result<Queued, CallError> {
        let seat = self.seat()?;
        let queued = acts::send_reply(&seat, request).await?;
        first::done(&seat, FirstStep::Answer).await?;
        Ok(queued)
    }

    async fn add_note(&self, request: AddNote) -> Result<Queued, CallError> {
        acts::add_note(&*self.seat()?, request).await
    }

    async fn claim(&self, Claim { case }: Claim) -> Result<Queued, CallError> {
        acts::on_case(&*self.seat()?, case, Ask::Claim { case }).await
    }

    async fn release(&self, Release { case }: Release) -> Result<Queued, CallError> {
        acts::on_case(&*self.seat()?, case, Ask::Release { case }).await
    }

    async fn assign(&self, Assign { case, staff }: Assign) -> Result<Queued, CallError> {
        let seat = self.seat()?;
        let queued = acts::on_case(&seat, case, Ask::Assign { case, staff }).await?;
        first::done(&seat, FirstStep::Share).await?;
        Ok(queued)
    }

    async fn close_case(&self, CloseCase { case, outcome }: CloseCase) -> Result<Queued, CallError> {
        acts::on_case(&*self.seat()?, case, Ask::CloseCase { case, outcome }).await
    }

    async fn reopen_case(&self, ReopenCase { case }: ReopenCase) -> Result<Queued, CallError> {
        acts::on_case(&*self.seat()?, case, Ask::ReopenCase { case }).await
    }

    async fn retry(&self, request: Retry) -> Result<Nothing, CallError> {
        acts::retry(&*self.seat()?, request).await
    }

    async fn discard(&self, request: Discard) -> Result<Nothing, CallError> {
        acts::discard(&*self.seat()?, request).await
    }

    async fn take_back(&self, request: TakeBack) -> Result<TakenBack, CallError> {
        acts::take_back(&*self.seat()?, request).await
    }

    async fn put_back(&self, request: PutBack) -> Result<Nothing, CallError> {
        unsent::put_back(&*self.seat()?, request).await
    }

    async fn leave_as_note(&self, request: LeaveAsNote) -> Result<Queued, CallError> {
        unsent::leave_as_note(&*self.seat()?, request).await
    }

    async fn unsent(&self, _: Nothing) -> Result<Unsent, CallError> {
        Ok(unsent::list(&*self.seat()?).await?)
    }

    async fn storage(&self, _: Nothing) -> Result<Storage, CallError> {
        Ok(self.storage_of(&*self.seat()?).await?)
    }

    async fn clear_cache(&self, _: Nothing) -> Result<Nothing, CallError> {
        self.clear_records().await
    }

    async fn mended_read(&self, _: Nothing) -> Result<Nothing, CallError> {
        let seat = self.seat()?;
        seat.precious.write(|precious| mend::read(precious.connection())).await?;
        seat.hub.tell(Signal::Status {});
        Ok(Nothing {})
    }

    async fn seen_up_to(&self, request: SeenUpTo) -> Result<Nothing, CallError> {
        acts::seen_up_to(&*self.seat()?, request).await
    }

    async fn assignable(&self, AssignableRequest { case }: AssignableRequest) -> Result<Assignable, CallError> {
        let read = move |records: &mut records::Records| {
            let Some(case) = records.case(case)? else { return Ok(None) };
            let mut people = records.everybody()?;
            people.retain(|staff| {
                let viewer = &staff.viewer;
                viewer.active && may(&viewer.roles, Act::Answer) && viewer.teams.contains(&case.team)
            });
            Ok(Some(people))
        };
        let people = self.seat()?.records.read(read).await?.ok_or_else(|| not_found("case"))?;
        let people = people.into_iter().map(|staff| Person { staff: staff.viewer.staff, name: staff.name });
        Ok(Assignable { people: people.collect() })
    }

    async fn outcomes(&self, _: Nothing) -> Result<Outcomes, CallError> {
        let pack = self.seat()?.records.read(|records| Ok(records.pack()?)).await?;
        let outcomes = pack.iter().flat_map(|pack| &pack.outcomes);
        let outcomes = outcomes.map(|one| Outcome { slug: one.slug.clone(), name: names::name(&one.name) });
        Ok(Outcomes { outcomes: outcomes.collect() })
    }

    async fn first_steps(&self, _: Nothing) -> Result<FirstSteps, CallError> {
        Ok(first::steps(&*self.seat()?).await?)
    }

    async fn step_done(&self, StepDone { step }: StepDone) -> Result<Nothing, CallError> {
        first::done(&*self.seat()?, step).await?;
        Ok(Nothing {})
    }

    async fn status(&self, _: Nothing) -> Result<DeskStatus, CallError> {
        Ok(self.seat()?.status().await?)
    }

    async fn set_settings(&self, settings: Settings) -> Result<Settings, CallError> {
        self.0.workstation.set_settings(&settings)?;
        self.0.hub.set_settings(settings.clone());
        Ok(settings)
    }

    async fn system(&self, _: Nothing) -> Result<SystemState, CallError> {
        Ok(self.system_state(None).await?)
    }

    async fn start_with_system(&self, StartWithSystem { on }: StartWithSystem) -> Result<SystemState, CallError> {
        Ok(self.system_state(Some(on)).await?)
    }

    async fn try_notification(&self, _: Nothing) -> Result<Nothing, CallError> {
        self.0.hub.notify(notify::trial(&self.0.hub.settings()));
        Ok(Nothing {})
    }

    async fn open_link(&self, OpenLink { link, host }: OpenLink) -> Result<Nothing, CallError> {
        self.seat()?;
        let address = link::checked(&link, &host)?;
        self.open_outside(address).await?;
        Ok(Nothing {})
    }

    async fn signed_heads(&self, _: Nothing) -> Result<SignedHeads, CallError> {
        let read = self.seat()?.precious.read(|precious| precious::witnesses(precious.connection())).await;
        Ok(SignedHeads { heads: read? })
    }

    async fn colleagues(&self, _: Nothing) -> Result<Colleagues, CallError> {
        Ok(presence::colleagues(&*self.seat()?).await?)
    }

    async fn search(&self, request: SearchAll) -> Result<Found, CallError> {
        Ok(search::all(&*self.seat()?, request).await?)
    }

    async fn search_in(&self, request: SearchIn) -> Result<FoundIn, CallError> {
        Ok(search::within(&*self.seat()?, request).await?)
    }

    async fn recent_searches(&self, _: Nothing) -> Result<Recent, CallError> {
        Ok(self.seat()?.precious.read(|precious| search::recent(precious.connection())).await?)
    }

    async fn keep_search(&self, KeepSearch { text }: KeepSearch) -> Result<Nothing, CallError> {
        self.seat()?.precious.write(move |precious| search::keep_recent(precious.connection(), &text)).await?;
        Ok(Nothing {})
    }

    async fn forget_searches(&self, _: Nothing) -> Result<Nothing, CallError> {
        let write = |precious: &mut precious::Precious| precious::let_go(precious.connection(), search::RECENT);
        self.seat()?.precious.write(write).await?;
        Ok(Nothing {})
    }

    async fn showing(&self, request: Showing) -> Result<Nothing, CallError> {
        self.0.hub.set_showing(&request);
        Ok(Nothing {})
    }
}
