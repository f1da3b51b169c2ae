//! Start and session: who is here, signing in and out.

use std::fmt;

use domain::{
    ids::{Millis, StaffId},
    words::Role,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Parting, Phase, Settings};

dto! {
    /// Nothing to ask, or nothing to answer.
    Nothing {}
    /// What the window should show first.
    Start {
        /// Which screen.
        phase: Phase,
        /// Accounts that signed in on this workstation, most recent first.
        accounts: Vec<Account>,
        /// The settings of this workstation.
        settings: Settings,
        /// Who is signed in, when `phase` is `ready`.
        me: Option<Me>,
        /// This program's version.
        version: String,
        /// So many commands of people who left go out behind this screen. Whose they are is not said.
        going_out: u32,
        /// What was kept here for somebody and had to be removed, until somebody signs in.
        wiped: Option<Wiped>,
    }
    /// This computer was shut out by the administration, and has removed what it kept for that account.
    Wiped {
        /// When.
        at: Millis,
        /// So many replies, notes and acts were lost with it that the gateway never got.
        unsent: u32,
        /// So many drafts.
        drafts: u32,
    }
    /// An account that has signed in here before.
    Account {
        /// Names it in `unlock`.
        id: String,
        /// `https://…` of the gateway.
        gateway: String,
        /// The agency's id.
        agency: String,
        /// What the person signs in with.
        username: String,
    }
    /// Who is signed in.
    Me {
        /// Their id.
        staff: StaffId,
        /// Their name.
        name: String,
        /// What they may be.
        roles: Vec<Role>,
        /// Where they belong.
        teams: Vec<String>,
        /// The agency's name in Arabic and English.
        agency: Name,
        /// What this person may do, so that the window offers nothing that would be refused.
        can: Can,
    }
    /// A name in both languages.
    Name {
        /// Arabic.
        ar: String,
        /// English.
        en: String,
    }
    /// What a person may do.
    Can {
        /// Answer citizens, keep notes, claim, close, reopen.
        answer: bool,
        /// Give a case to somebody.
        assign: bool,
        /// Keep accounts.
        administer: bool,
    }
    /// Signs in on line; with a one-time code it also sets the password.
    SignIn {
        /// `https://…` of the gateway.
        gateway: String,
        /// The agency's id.
        agency: String,
        /// What the person signs in with.
        username: String,
        /// Their password; with a code: the new one.
        password: String,
        /// The one-time code of a first sign-in or a reset.
        code: Option<String>,
    }
    /// Opens an account's file with its password; works off line.
    Unlock {
        /// `Account::id`.
        account: String,
        /// The password.
        password: String,
    }
    /// Signs this device out.
    SignOut {
        /// What becomes of replies that wait to be sent.
        parting: Parting,
    }
    /// Shows nothing more until the password is given again. The desk goes on receiving and sending.
    Lock {}
}
