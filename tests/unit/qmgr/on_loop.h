// The index's writer as qmgr has it: what is committed comes back to the loop, and there ends what waits for it.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "common/net/loop.h"
#include "common/storage/batch_writer.h"

namespace holdfast::qmgr {

// `after` runs on the loop behind the `done`s of each commit.
inline storage::BatchWriter::Hooks hooks_on(net::Loop& loop, std::function<void()> after) {
  return {.committed =
              [&loop, after = std::move(after)](std::vector<storage::BatchWriter::Done> dones) {
                loop.post([after, dones = std::move(dones)] {
                  for (const auto& done : dones) done();
                  after();
                });
              },
          .health = {}};
}

}  // namespace holdfast::qmgr
