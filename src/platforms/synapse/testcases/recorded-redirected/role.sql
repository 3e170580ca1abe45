# recorded by revalidated 0.1.0
rows
value: 1

