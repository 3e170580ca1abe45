# recorded by revalidated 0.1.0
error
severity: FATAL
sqlstate: 28P01

password authentication failed for user "IAM:user1"