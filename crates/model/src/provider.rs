//! How a provider is reached.

use std::{fmt, time::Duration};

/// The settings of one provider, as values: nothing here reads files or the environment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProviderSettings {
    /// The name under which the configuration knows the provider.
    pub id: String,
    /// The name that people read.
    pub name: String,
    /// What the paths of the API are appended to.
    pub base_url: String,
    /// How the provider knows who asks.
    pub auth: Auth,
    /// Further headers of each request; they win over our own.
    pub headers: Vec<(String, String)>,
    /// The query of each request.
    pub query: Vec<(String, String)>,
    /// How often a request that met a failing or unreachable server is repeated without a word.
    pub request_max_retries: u32,
    /// How often a stream that broke off is asked for again.
    pub stream_max_retries: u32,
    /// How long to wait for the first and for each further event.
    pub stream_idle_timeout: Duration,
}

/// How a provider knows who asks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Auth {
    /// It does not.
    None,
    /// By a key.
    Bearer(String),
    /// By a key that should be in the environment but is not: every request fails, and says so.
    MissingEnv {
        /// The variable.
        var: String,
        /// How to get a key, if the configuration tells.
        instructions: Option<String>,
    },
}

/// Leaves out whatever may hold a key: headers, query, the key itself, and the user information of the URL.
impl fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderSettings")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let settings = ProviderSettings {
            id: "acme".into(),
            name: "Acme".into(),
            base_url: "https://me:secret@acme.example".into(),
            auth: Auth::Bearer("secret".into()),
            headers: vec![("api-key".into(), "secret".into())],
            query: vec![("key".into(), "secret".into())],
            request_max_retries: 0,
            stream_max_retries: 0,
            stream_idle_timeout: Duration::ZERO,
        };
        let printed = format!("{settings:?}");
        assert!(printed.contains("acme") && !printed.contains("secret"), "{printed}");
    }
}
