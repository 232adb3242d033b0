//! The tools of one loaded thread: what it offers, and what lasts from one turn to the next.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    host::Host,
    tool::Tool,
    toolbox::{Key, TurnTools},
    tools::{ClientTool, RequestUserInput, UpdatePlan, ViewImage},
    turn::TurnFacts,
};

/// What a thread offers to its model.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The tools that the client carries out itself.
    pub client_tools: Vec<ClientTool>,
    /// How the provider may search the web.
    pub web_search: WebSearch,
    /// Whether the model may ask the person outside of plan mode.
    pub ask_in_every_mode: bool,
}

/// How the provider may search the web.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebSearch {
    /// Not at all.
    #[default]
    Off,
    /// In what it has stored.
    Stored,
    /// In the web as it is now.
    Live,
}

/// The tools of one loaded thread.
pub struct ThreadTools {
    offer: Offer,
}

impl ThreadTools {
    /// Makes the tools of a thread.
    pub fn new(offer: Offer) -> Self {
        Self { offer }
    }

    /// Returns the tools of one turn.
    pub fn turn(
        self: &Arc<Self>,
        turn: TurnFacts,
        host: Arc<dyn Host>,
        cancel: CancellationToken,
    ) -> TurnTools {
        TurnTools::new(Arc::clone(self), turn, host, cancel)
    }

    /// The tools that are carried out here or by the client, in the order in which they are offered.
    pub(crate) fn tools(&self, _turn: &TurnFacts) -> Vec<(Key, Arc<dyn Tool>)> {
        let ask = RequestUserInput { in_every_mode: self.offer.ask_in_every_mode };
        let mut tools: Vec<(Key, Arc<dyn Tool>)> = vec![
            ((None, "update_plan".to_owned()), Arc::new(UpdatePlan)),
            ((None, "view_image".to_owned()), Arc::new(ViewImage)),
            ((None, "request_user_input".to_owned()), Arc::new(ask)),
        ];
        for tool in &self.offer.client_tools {
            tools.push(((tool.namespace.clone(), tool.name.clone()), Arc::new(tool.clone())));
        }
        tools
    }

    /// The tools that the provider carries out itself.
    pub(crate) fn hosted(&self) -> Option<Value> {
        let live = match self.offer.web_search {
            WebSearch::Off => return None,
            WebSearch::Stored => false,
            WebSearch::Live => true,
        };
        Some(json!({ "type": "web_search", "external_web_access": live }))
    }
}
