//! Bodies of responses, read up to a limit.

/// Reasons why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// More bytes than allowed; the rest was not read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Connection lost before the end of the body.
    #[error("the answer was cut off")]
    Cut(#[source] reqwest::Error),
}

/// Reads the body of `response`, at most `bytes_max` of it.
///
/// # Errors
///
/// Fails for a longer body, or one that is announced to be longer, without reading it all, and for one that ends early.
pub(crate) async fn read_capped(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Vec<u8>, BodyError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| bytes_max < length) {
        return Err(BodyError::TooLarge(bytes_max));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Cut)? {
        if bytes_max.saturating_sub(body.len()) < chunk.len() {
            return Err(BodyError::TooLarge(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::testing::{quick, serve};
    use crate::net::http::{HttpOptions, client};

    #[tokio::test]
    async fn body_over_the_limit_is_refused() {
        let body = "x".repeat(5000);
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{body}");
        let address = serve(answer.into_bytes()).await;
        let get = async || {
            let client = client(&HttpOptions::default()).unwrap();
            client.get(format!("http://{address}/")).send().await.unwrap()
        };
        assert_eq!(read_capped(get().await, 5000).await.unwrap().len(), 5000);
        let error = read_capped(get().await, 4999).await.unwrap_err();
        assert_eq!(error.to_string(), "the answer is larger than 4999 bytes");
        let short = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nxy".to_vec()).await;
        let client = client(&quick()).unwrap();
        let response = client.get(format!("http://{short}/")).send().await.unwrap();
        assert!(matches!(read_capped(response, 9).await, Err(BodyError::Cut(_))));
    }

    /// The server sends two bytes, and then nothing: the limit of time is not waited for.
    #[tokio::test]
    async fn body_announced_over_the_limit_is_refused_at_once() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\nxy".to_vec();
        let address = serve(answer).await;
        let client = client(&HttpOptions::default()).unwrap();
        let response = client.get(format!("http://{address}/")).send().await.unwrap();
        assert!(matches!(read_capped(response, 9).await, Err(BodyError::TooLarge(9))));
    }
}
