//! Models behind a Responses API: one POST a request, answered by server-sent events.

mod body;
mod event;

use std::sync::Arc;

use crate::{
    EventStream, Model, ProviderSettings, Request,
    http::{Hear, Http, Told},
};

/// The models of one provider.
pub struct ResponsesModel {
    http: Arc<Http>,
}

impl ResponsesModel {
    /// Takes the settings as they are; what is wrong with them is told by the first request.
    pub fn new(settings: ProviderSettings) -> Self {
        Self { http: Arc::new(Http::new(settings, "responses")) }
    }
}

impl Model for ResponsesModel {
    fn name(&self) -> &str {
        &self.http.settings().name
    }

    fn stream(&self, request: Request) -> EventStream {
        self.http.stream(request, |request| Ok((body::write(request)?, Events)))
    }

    fn stream_retries(&self) -> u32 {
        self.http.settings().stream_max_retries
    }
}

/// Hears the events of a response; each means what it means by itself.
struct Events;

impl Hear for Events {
    const LAST: &'static str = "response.completed";

    fn hear(&mut self, data: &str, told: &mut Told) {
        event::hear(data, |event| told.push_back(event));
    }
}
