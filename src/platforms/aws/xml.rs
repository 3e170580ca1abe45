//! XML answers of AWS, read into elements.

use crate::domain::one_line;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The deepest nesting of elements that is read; the documented bodies have five levels.
const DEPTH_MAX: usize = 16;
/// The longest piece of a wrong body that an error shows, in characters.
const SHOWN_MAX: usize = 80;

/// A body is not what the API documents.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplyError {
    /// It is not XML at all.
    #[error("not well-formed XML: {0}")]
    Malformed(String),
    /// It stops in the middle.
    #[error("the XML ends early")]
    Truncated,
    /// It is nested deeper than anything that is documented.
    #[error("the XML is nested too deeply")]
    TooDeep,
    /// It is another document.
    #[error("expected <{expected}>, found <{found}>")]
    Other {
        /// The documented root element.
        expected: &'static str,
        /// The root element of the body.
        found: String,
    },
    /// A part that is always there is not there, or has a value that cannot be.
    #[error("<{0}> is missing or wrong")]
    Part(&'static str),
}

/// An element with its text and its children, in document order.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    /// Reads a whole document.
    ///
    /// # Errors
    ///
    /// Says why `body` is not a complete XML document.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ReplyError> {
        let text = str::from_utf8(body)
            .map_err(|_invalid| ReplyError::Malformed("it is not text".to_owned()))?;
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            let event = reader
                .read_event()
                .map_err(|error| ReplyError::Malformed(one_line(&error.to_string(), SHOWN_MAX)))?;
            match event {
                Event::Start(_) if DEPTH_MAX <= open.len() => return Err(ReplyError::TooDeep),
                Event::Start(start) => open.push(Self::named(&start)),
                Event::Empty(start) => add(&mut open, Self::named(&start)),
                Event::End(_) => {
                    // The reader has checked that an element of this name is open.
                    let closed = open.pop().unwrap_or_default();
                    add(&mut open, closed);
                }
                Event::Text(text) => add_text(&mut open, &text.xml10_content()),
                Event::CData(data) => add_text(&mut open, &data.xml10_content()),
                Event::GeneralRef(reference) => add_text(&mut open, &resolved(&reference)?),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
                Event::Eof => break,
            }
        }
        let document = open.pop().unwrap_or_default();
        match (open.is_empty(), document.children.into_iter().next()) {
            (true, Some(root)) => Ok(root),
            (true, None) => Err(ReplyError::Malformed("it has no element".to_owned())),
            (false, _) => Err(ReplyError::Truncated),
        }
    }

    /// Returns the text of the first element called `name`, at any depth; AWS wraps its errors in
    /// more than one way.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        if self.name == name {
            return Some(self.text.trim()).filter(|text| !text.is_empty());
        }
        self.children.iter().find_map(|child| child.first(name))
    }

    fn named(start: &BytesStart<'_>) -> Self {
        Self { name: start.local_name().as_ref().to_owned(), ..Self::default() }
    }

    /// Returns the children, in document order.
    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    /// Returns the first child called `name`.
    ///
    /// # Errors
    ///
    /// Fails when there is none.
    pub(crate) fn child(&self, name: &'static str) -> Result<&Self, ReplyError> {
        self.children.iter().find(|child| child.name == name).ok_or(ReplyError::Part(name))
    }

    /// Returns the text of the first child called `name`.
    ///
    /// # Errors
    ///
    /// There is none, or it is empty.
    pub(crate) fn text(&self, name: &'static str) -> Result<String, ReplyError> {
        let text = self.child(name)?.text.trim();
        if text.is_empty() { Err(ReplyError::Part(name)) } else { Ok(text.to_owned()) }
    }

    /// Returns this element, if it is called `expected`.
    ///
    /// # Errors
    ///
    /// It is another.
    pub(crate) fn expect(&self, expected: &'static str) -> Result<&Self, ReplyError> {
        if self.name == expected {
            return Ok(self);
        }
        Err(ReplyError::Other { expected, found: one_line(&self.name, SHOWN_MAX) })
    }
}

fn add(open: &mut [Element], child: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(child);
    }
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(parent) = open.last_mut() {
        parent.text.push_str(text);
    }
}

/// Returns the text of a character reference or of one of XML's own five entities.
fn resolved(reference: &BytesRef<'_>) -> Result<String, ReplyError> {
    let character = reference.resolve_char_ref().ok().flatten().map(String::from);
    let found = character.or_else(|| resolve_xml_entity(reference).map(str::to_owned));
    found.ok_or_else(|| ReplyError::Malformed("it uses unknown entities".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_code_counts_at_any_depth() {
        let bodies = [
            "<Error><Code>AccessDenied</Code><Message>No &amp; &#110;o</Message></Error>",
            "<ErrorResponse xmlns='u'><Error><Type>Sender</Type><Code>AccessDenied</Code>\
             <Message><![CDATA[No & no]]></Message></Error></ErrorResponse>",
            "<?xml version='1.0'?><e:ErrorResponse xmlns:e='u'><Errors><e:Error>\
             <e:Code> AccessDenied </e:Code><Message>No &#x26; no</Message></e:Error></Errors>\
             <Code>Other</Code></e:ErrorResponse>",
        ];
        for body in bodies {
            let root = Element::parse(body.as_bytes()).unwrap();
            assert_eq!(root.first("Code"), Some("AccessDenied"), "{body}");
            assert_eq!(root.first("Message"), Some("No & no"), "{body}");
            assert_eq!(root.first("RequestId"), None);
        }
    }

    #[test]
    fn bodies_of_another_shape_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        let cases: [(&[u8], &str); 11] = [
            (b"", "no element"),
            (b"\xff\xfe", "not text"),
            (b"{\"Account\": 1}", "no element"),
            (b"<!DOCTYPE html><html><body><p>Sign in<br></body></html>", "not well-formed"),
            (b"<html><body>Sign in</body></html>", "expected <ListBucketResult>, found <html>"),
            (b"<ListBucketResult><KeyCount>1</KeyCount>", "ends early"),
            (b"<ListBucketResult></ListBucketResult>", "<KeyCount> is missing"),
            (b"<ListBucketResult><KeyCount/></ListBucketResult>", "<KeyCount> is missing"),
            (b"<ListBucketResult>&lol;</ListBucketResult>", "unknown entities"),
            (b"<ListBucketResult></Other>", "not well-formed"),
            (deep.as_bytes(), "too deeply"),
        ];
        for (body, expected) in cases {
            let read = Element::parse(body)
                .and_then(|root| root.expect("ListBucketResult")?.text("KeyCount"));
            let fault = read.unwrap_err().to_string();
            assert!(fault.contains(expected), "{}: {fault}", String::from_utf8_lossy(body));
        }
    }
}
