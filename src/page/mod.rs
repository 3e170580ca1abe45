//! Pages for browsers, made on the server from the values of [`crate::view`].
