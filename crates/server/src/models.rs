//! Who answers the turns of a thread: the provider that its config names.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use config::{Config, ProviderConfig, SCRIPTED, WireApi};
use model::{Auth, ChatModel, Model, ProviderSettings, ResponsesModel, ScriptedModel};

/// The providers in use; threads with the same settings share one, and with it its connections.
#[derive(Default)]
pub(crate) struct Models {
    made: Mutex<HashMap<(WireApi, ProviderSettings), Arc<dyn Model>>>,
}

impl Models {
    /// Returns the provider of this id; the reason, in the user's terms, where it cannot be used.
    pub(crate) fn provider(
        &self,
        id: &str,
        config: &Config,
        env: &HashMap<String, String>,
    ) -> Result<Arc<dyn Model>, String> {
        if id == SCRIPTED {
            return Ok(Arc::new(ScriptedModel::default()));
        }
        let provider = config.providers.get(id).ok_or_else(|| format!("Model provider `{id}` not found"))?;
        let (wire, settings) = (provider.wire_api, settings(provider, env));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let model = made.entry((wire, settings.clone())).or_insert_with(|| match wire {
            WireApi::Responses => Arc::new(ResponsesModel::new(settings)),
            WireApi::Chat => Arc::new(ChatModel::new(settings)),
        });
        Ok(Arc::clone(model))
    }
}

/// Fills in what the config only names: the variables of the environment.
fn settings(provider: &ProviderConfig, env: &HashMap<String, String>) -> ProviderSettings {
    let set = |name: &String| env.get(name).filter(|value| !value.trim().is_empty()).cloned();
    let auth = match (&provider.env_key, &provider.experimental_bearer_token) {
        (Some(var), _) => match set(var) {
            Some(key) => Auth::Bearer(key),
            None => {
                Auth::MissingEnv { var: var.clone(), instructions: provider.env_key_instructions.clone() }
            }
        },
        (None, Some(token)) => Auth::Bearer(token.clone()),
        (None, None) => Auth::None,
    };
    let fixed = provider.http_headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    let named = provider.env_http_headers.iter().filter_map(|(name, var)| Some((name.clone(), set(var)?)));
    ProviderSettings {
        id: provider.id.clone(),
        name: provider.name.clone(),
        base_url: provider.base_url.clone().unwrap_or_default(),
        auth,
        headers: fixed.chain(named).collect(),
        query: provider.query_params.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        request_max_retries: provider.request_max_retries,
        stream_max_retries: provider.stream_max_retries,
        stream_idle_timeout: provider.stream_idle_timeout,
    }
}
