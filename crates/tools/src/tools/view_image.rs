//! `view_image`: the model looks at an image in a file.

use std::path::Path;

use futures::{FutureExt, future::BoxFuture};
use rollout::Event;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    context::Context,
    host::Began,
    image,
    tool::{Call, Output, Stopped, Tool, function},
};

pub(crate) struct ViewImage;

#[derive(Deserialize)]
struct Arguments {
    path: String,
}

impl Tool for ViewImage {
    fn spec(&self) -> Option<Value> {
        Some(function(
            "view_image",
            "Puts an image of the local file system before you. Use it for a path that the person named, when the \
             image is not attached already.",
            json!({ "path": { "type": "string", "description": "The file." } }),
            &["path"],
        ))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let Arguments { path } = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let path = cx.turn.cwd.join(path);
            let read = path.clone();
            let url = tokio::task::spawn_blocking(move || image::data_url(Path::new(&read))).await;
            let url = match url.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(url) => url,
                Err(reason) => {
                    return Ok(format!("unable to attach the image at `{}`: {reason}", path.display()).into());
                }
            };
            let path = path.to_string_lossy().into_owned();
            let item = Event::ViewImageToolCall { call_id: call.id.clone(), path };
            cx.host.complete(item, Began::Unannounced).await;
            Ok(Output::Parts(vec![json!({ "type": "input_image", "image_url": url })]))
        }
        .boxed()
    }
}
