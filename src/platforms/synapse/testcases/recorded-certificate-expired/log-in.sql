# recorded by revalidated 0.1.0
no-answer expired
cause: expiredCertificate
evidence: the server's certificate was rejected during the TLS handshake: certificate expired

The server's certificate was rejected during the TLS handshake: certificate expired.