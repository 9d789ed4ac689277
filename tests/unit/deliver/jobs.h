// Jobs and outcomes as the tests of deliver need them.
#pragma once

#include <string>
#include <vector>

#include "common/ipc/messages.h"

namespace holdfast::test {

inline ipc::Job job_to(const std::vector<std::string>& recipients, std::uint64_t id = 0x10000000001) {
  ipc::Job job;
  job.queue_id = id;
  job.generation = 0;
  job.attempt = 1;
  job.destination = "office";
  job.arrival_ms = 1'000'000;
  job.due_ms = 1'060'000;
  std::uint32_t index = 0;
  for (const auto& address : recipients)
    job.recipients.push_back({.index = index++, .address = address, .known = true});
  return job;
}

inline ipc::RecipientStatus status_of(const ipc::Outcome& outcome, std::size_t i) {
  return static_cast<ipc::RecipientStatus>(outcome.recipients.at(i).status);
}

}  // namespace holdfast::test
