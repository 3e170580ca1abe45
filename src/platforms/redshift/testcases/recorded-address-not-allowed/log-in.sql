# recorded by revalidated 0.1.0
error
severity: FATAL
sqlstate: 28000

pg_hba.conf rejects connection for host "127.0.0.1", user "user1", database "immuta", SSL encryption