# recorded by revalidated 0.1.0
redirected
host: localhost
port: 35107

