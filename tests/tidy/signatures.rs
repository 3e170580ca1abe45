//! Finds parameters that are bundled into a tuple only to stay below the limit of arguments.

use std::path::Path;

use crate::source::{production, sources, tokens};

/// Returns the named functions of `text` of which a parameter is a tuple that is taken apart.
fn bundled(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for at in tokens.iter().enumerate().filter(|(_, token)| *token == "fn").map(|(at, _)| at) {
        let Some(name) = tokens.get(at + 1).filter(|name| *name != "(") else { continue };
        let mut at = after_generics(&tokens, at + 2) + 1;
        let (mut depth, mut is_first) = (1_i32, true);
        while depth > 0
            && let Some(token) = tokens.get(at)
        {
            if is_first && token == "(" {
                found.push(name.clone());
            }
            is_first = depth == 1 && token == ",";
            match token.as_str() {
                "(" | "[" | "{" | "<" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                ">" if tokens[at - 1] != "-" => depth -= 1,
                _ => {}
            }
            at += 1;
        }
    }
    found
}

fn after_generics(tokens: &[String], mut at: usize) -> usize {
    let mut depth = 0_i32;
    loop {
        match tokens[at].as_str() {
            "<" => depth += 1,
            ">" if tokens[at - 1] != "-" => depth -= 1,
            _ => {}
        }
        if depth == 0 && tokens[at] == "(" {
            return at;
        }
        at += 1;
    }
}

#[test]
fn no_parameter_is_a_tuple_taken_apart() {
    let mut found = Vec::new();
    for path in sources(Path::new("src")) {
        let names = bundled(&production(&path));
        found.extend(names.into_iter().map(|name| format!("{}: {name}", path.display())));
    }
    assert!(found.is_empty(), "tuple parameters:\n{}", found.join("\n"));
}

#[test]
fn only_tuples_that_are_taken_apart_are_found() {
    let text = "fn a<T: Fn(u8) -> u8>(b: (u8, u8), c: T) {} fn d(e: u8, (f, g): (u8, u8)) {}
        fn h((i, j): (u8, u8)) {} fn k(l: &[(u8, u8)], m: fn(u8) -> (u8, u8), n: B<(), (u8)>) { o((1, 2)); }";
    assert_eq!(bundled(text), ["d", "h"]);
}
