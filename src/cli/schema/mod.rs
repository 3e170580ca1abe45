//! `schema`: JSON Schemas of what people and programs write and read, as published.

#[cfg(test)]
mod tests;

use super::args::{Schema, SchemaOf};
use super::print::Answer;

/// Schema of configuration files.
const CONFIG: &str = include_str!("../../../schemas/config.v1.schema.json");
/// Schema of messages to receivers.
const EVENT: &str = include_str!("../../../schemas/event.v1.schema.json");
/// Document of the interface over HTTP.
const OPENAPI: &str = include_str!("../../../schemas/openapi.v1.json");
/// Schema of the JSON of the commands.
const COMMANDS: &str = include_str!("../../../schemas/commands.v1.schema.json");

/// Prints the schema that was asked for.
pub(super) fn answer(args: Schema) -> Answer {
    let text = match args.of {
        SchemaOf::Config => CONFIG,
        SchemaOf::Event => EVENT,
        SchemaOf::Openapi => OPENAPI,
        SchemaOf::Commands => COMMANDS,
    };
    Answer { is_json: true, ..Answer::good(text.to_owned()) }
}
