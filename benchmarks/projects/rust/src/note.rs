//! One note, and what is read out of its text.

use chrono::{DateTime, Utc};
use pulldown_cmark::{html, Options, Parser};
use regex::Regex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Note {
    #[serde(default = "Uuid::new_v4")]
    pub id: Uuid,
    pub title: String,
    pub text: String,
    #[serde(default = "Utc::now")]
    pub written: DateTime<Utc>,
}

impl Note {
    pub fn new(title: &str, text: &str) -> Self {
        Note { id: Uuid::new_v4(), title: title.to_string(), text: text.to_string(), written: Utc::now() }
    }

    /// The words behind a `#`, once each, in alphabetical order.
    pub fn tags(&self) -> Vec<String> {
        let tag = Regex::new(r"(?:^|\s)#(\w+)").expect("a constant pattern");
        let mut tags: Vec<String> = tag.captures_iter(&self.text).map(|found| found[1].to_lowercase()).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    pub fn html(&self) -> String {
        let mut out = String::new();
        html::push_html(&mut out, Parser::new_ext(&self.text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH));
        out
    }
}
