"""Books on what the receiver got: by epoch and integration, in the order of the first arrival of each message."""
import json
import threading


class Books:
    def __init__(self, receiver):
        self.receiver = receiver
        self.lock = threading.Lock()
        self.read = 0
        self.bodies = {}
        # By epoch and integration: numbers with their ids and statuses, as they came.
        self.stories = {}
        self.believed = {}
        self.again = 0
        self.found = []
        self.others = 0

    def take(self):
        """Enters what has come since the last call."""
        with self.lock:
            while self.read < len(self.receiver.taken):
                taken = self.receiver.taken[self.read]
                self.read += 1
                if taken.id in self.bodies:
                    self.again += 1
                    if self.bodies[taken.id] != taken.body:
                        self.found.append(f"{taken.id} came again with another body")
                    continue
                self.bodies[taken.id] = taken.body
                self.enter(taken.id, json.loads(taken.body))

    def enter(self, identity, body):
        kind, data = body["type"], body["data"]
        if not kind.startswith("integration.validation."):
            self.others += 1
            if kind.startswith("integration."):
                self.found.append(f"unexpected {kind} about {data['integration']['name']}")
            return
        cluster, number, status = data["integration"]["name"], data["sequence"], data["status"]
        story = self.stories.setdefault((data["epoch"], cluster), [])
        self.believed[cluster] = status
        same = [known for known, other, _ in story if known == number]
        if same:
            self.found.append(f"doubled: message {number} of {cluster} under another id, {identity}")
        elif story and number != story[-1][0] + 1:
            self.found.append(f"disordered: message {number} of {cluster} after {story[-1][0]}")
        if story and story[-1][2] == status and not same:
            self.found.append(f"doubled: {cluster} is {status} by message {number}, as it was by {story[-1][0]}")
        story.append((number, identity, status))

    def status(self, cluster, default):
        """Returns the status that the receiver believes in."""
        self.take()
        return self.believed.get(cluster, default)

    def forget(self, statuses):
        """The receiver looks at what the daemons believe, as it should after a new epoch."""
        self.take()
        self.believed = statuses

    def latest(self, epoch, cluster):
        """Returns number and status of the latest message of an epoch; none without one."""
        self.take()
        story = self.stories.get((epoch, cluster))
        return (story[-1][0], story[-1][2]) if story else (None, None)

    def faults(self):
        self.take()
        unsigned = [f"{len(self.receiver.unsigned)} requests without a valid signature"] if self.receiver.unsigned else []
        return unsigned + self.found

    def summary(self):
        messages = sum(map(len, self.stories.values()))
        epochs = len({epoch for epoch, _ in self.stories})
        return f"{messages} messages in {epochs} epochs, {self.again} sent again, {self.others} about the daemon"
