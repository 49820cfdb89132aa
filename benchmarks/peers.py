"""Hugging Face's Trainers, as the benchmarks of fine-tuning and of generation use them."""

import time

from benchmarks.work import cuda


def arguments(kind, folder, sizes, grouped: bool, **more):
    """Arguments of a Trainer, an object of `kind`: this project's batch, epochs, optimizer and schedule.

    grouped: batches of texts of similar length. more: further arguments.
    """
    return kind(
        output_dir=folder / "trainer",
        per_device_train_batch_size=sizes["batch_size"],
        num_train_epochs=sizes["epochs"],
        learning_rate=sizes["learning_rate"],
        warmup_steps=sizes["warmup"],
        lr_scheduler_type="linear",
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=sizes["precision"] == "bf16",
        train_sampling_strategy="group_by_length" if grouped else "random",
        use_cpu=sizes["device"] == "cpu",
        dataloader_pin_memory=sizes["device"] != "cpu",
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        seed=1,
        **more,
    )


def seconds_of_updates():
    """A callback whose `total` is the seconds of the updates, as this project's own records have them."""
    from transformers import TrainerCallback

    class Seconds(TrainerCallback):
        total = 0.0

        def on_epoch_begin(self, *_, **__):
            self.start = time.perf_counter()

        def on_epoch_end(self, *_, **__):
            if cuda():
                cuda().synchronize()
            self.total += time.perf_counter() - self.start

    return Seconds()
