// The locks by which qmgr knows which delivers live, each named after its worker: paths.run/locks/deliver.N.lock.
// They have a folder of their own, made by master, so that who makes them can make nothing else in the run folder.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::ipc {

inline std::string locks_folder(const std::string& run_folder) { return run_folder + "/locks"; }

inline std::string deliver_lock(const std::string& locks, std::uint32_t worker) {
  return locks + "/deliver." + std::to_string(worker) + ".lock";
}

}  // namespace holdfast::ipc
