"""What the WebUI is doing."""


class State:
    def __init__(self):
        self.job = ""
        self.job_no = self.job_count = self.sampling_step = self.sampling_steps = 0
        self.textinfo = self.current_image = self.current_latent = self.server_command = None
        self.time_start = 0.0
        self.skipped = self.interrupted = self.stopping_generation = False

    def begin(self, job="(unknown)"):
        self.__init__()
        self.job = job

    def end(self):
        self.job, self.job_count = "", 0
