//! The platform against running servers.
