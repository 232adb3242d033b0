//! Models behind Chat Completions, the API that most servers speak which people run themselves.
//!
//! Its dialects differ in what they leave out, repeat and put elsewhere; whatever can be understood in one way only is
//! understood. What goes out is the small common part that strict servers take.

mod body;
mod calls;
mod chunk;
mod hearing;
mod messages;
mod thought;
mod tools;

use std::sync::Arc;

use self::hearing::Hearing;
use crate::{EventStream, Model, ProviderSettings, Request, http::Http};

/// The models of one provider.
pub struct ChatModel {
    http: Arc<Http>,
}

impl ChatModel {
    /// Takes the settings as they are; what is wrong with them is told by the first request.
    pub fn new(settings: ProviderSettings) -> Self {
        Self { http: Arc::new(Http::new(settings, "chat/completions")) }
    }
}

impl Model for ChatModel {
    fn name(&self) -> &str {
        &self.http.settings().name
    }

    fn stream(&self, request: Request) -> EventStream {
        self.http.stream(request, |request| Ok((body::write(request)?, Hearing::of(request))))
    }

    fn stream_retries(&self) -> u32 {
        self.http.settings().stream_max_retries
    }
}
