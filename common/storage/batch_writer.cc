#include "common/storage/batch_writer.h"

#include <algorithm>

#include "common/stats/counters.h"

namespace holdfast::storage {

BatchWriter::BatchWriter(Env& env, Options options, Hooks hooks)
    : env_(env), options_(options), hooks_(std::move(hooks)), thread_([this] { run(); }) {}

BatchWriter::~BatchWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void BatchWriter::submit(Operation operation, Done done, bool urgent) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(operation), std::move(done)});
    wake = queue_.size() == 1 || queue_.size() == options_.most || (urgent && !urgent_);
    urgent_ = urgent_ || urgent;
  }
  if (wake) wake_.notify_one();
}

std::size_t BatchWriter::pending() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + in_batch_;
}

void BatchWriter::take_batch(std::unique_lock<std::mutex>& lock) {
  wake_.wait(lock, [&] { return ending_ || !queue_.empty(); });
  wake_.wait_until(lock, last_commit_ + options_.interval,
                   [&] { return ending_ || urgent_ || queue_.size() >= options_.most; });
  urgent_ = false;
  const auto count = std::min(queue_.size(), options_.most);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  batch_.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  in_batch_ = count;
}

base::Status BatchWriter::commit_batch() {
  bool prepared = true;
  auto done = try_once(prepared);
  if (!done && !prepared) done = try_once(prepared);
  return done;
}

base::Status BatchWriter::try_once(bool& prepared) {
  if (hooks_.begun) hooks_.begun();
  auto done = try_batch(prepared);
  if (!done && hooks_.dropped) hooks_.dropped(done.error());
  return done;
}

base::Status BatchWriter::try_batch(bool& prepared) {
  auto txn = WriteTxn::begin(env_);
  if (!txn) return std::unexpected(txn.error());
  for (const auto& entry : batch_) {
    if (auto done = entry.operation(**txn); !done) return done;
  }
  if (hooks_.prepare) {
    auto done = hooks_.prepare(**txn);
    prepared = done.has_value();
    if (!done) return done;
  }
  return (*txn)->commit();
}

// The rest goes back to where it came from. False: it is one operation only.
bool BatchWriter::halve() {
  if (batch_.size() < 2) return false;
  const auto middle = batch_.begin() + static_cast<std::ptrdiff_t>(batch_.size() / 2);
  queue_.insert(queue_.begin(), std::make_move_iterator(middle), std::make_move_iterator(batch_.end()));
  batch_.erase(middle, batch_.end());
  in_batch_ = batch_.size();
  return true;
}

void BatchWriter::report(std::optional<base::Error> error) {
  const auto kind = error ? std::optional(error->kind) : std::nullopt;
  if (failing_ == kind) return;
  failing_ = kind;
  if (hooks_.health) hooks_.health(std::move(error));
}

void BatchWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (batch_.empty()) take_batch(lock);
    if (batch_.empty()) return;  // ending, and nothing left
    lock.unlock();
    const auto began = base::mono_now();
    const auto status = commit_batch();
    last_commit_ = base::mono_now();
    stats::observe(stats::Histogram::kCommitSeconds, last_commit_ - began);
    stats::count(status ? stats::Counter::kCommits : stats::Counter::kCommitsFailed);
    suspects_ = status ? suspects_ - std::min(suspects_, batch_.size()) : std::max(suspects_, batch_.size());
    if (!status || suspects_ == 0) report(status ? std::nullopt : std::optional(status.error()));
    if (status) {
      std::vector<Done> dones;
      for (auto& entry : batch_) {
        if (entry.done) dones.push_back(std::move(entry.done));
      }
      batch_.clear();
      in_batch_ = 0;
      if (hooks_.committed) hooks_.committed(std::move(dones));
    }
    lock.lock();
    if (!status) {
      if (ending_) return;
      if (status.error().kind == base::Kind::kNoSpace && halve()) continue;
      wake_.wait_for(lock, options_.retry, [&] { return ending_; });
    }
  }
}

}  // namespace holdfast::storage
