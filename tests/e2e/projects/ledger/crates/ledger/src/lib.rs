//! A ledger in a text file: one booking a line, `DATE ACCOUNT AMOUNT`, amounts in cents.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{bail, Context, Error, Result};
use smallvec::SmallVec;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub date: String,
    pub account: String,
    pub cents: i64,
}

impl FromStr for Booking {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let words: SmallVec<[&str; 3]> = line.split_whitespace().collect();
        let [date, account, cents] = words.as_slice() else {
            bail!("{line:?}: three words are wanted");
        };
        Ok(Booking {
            date: (*date).to_owned(),
            account: (*account).to_owned(),
            cents: cents.parse().with_context(|| format!("{cents:?} is no amount"))?,
        })
    }
}

impl fmt::Display for Booking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.date, self.account, itoa::Buffer::new().format(self.cents))
    }
}

/// Every booking of a text; empty lines do not count.
pub fn read(text: &str) -> Result<Vec<Booking>> {
    let bytes = text.as_bytes();
    let mut bookings = Vec::with_capacity(memchr::memchr_iter(b'\n', bytes).count() + 1);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = text[start..end].trim();
        if !line.is_empty() {
            bookings.push(line.parse()?);
        }
        start = end + 1;
    }
    Ok(bookings)
}

/// What each account holds.
pub fn balance(bookings: &[Booking]) -> BTreeMap<&str, i64> {
    let mut sums = BTreeMap::new();
    for booking in bookings {
        *sums.entry(booking.account.as_str()).or_default() += booking.cents;
    }
    sums
}
