// One gateway a run folder, counting the daemons that a killed master has left behind.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::master {

class Instance {
 public:
  // Takes run/master.lock, which this process alone holds, and run/daemons.lock, which every daemon inherits: the
  // kernel keeps that one taken until the last of them is gone. kUnavailable: another master is running.
  // While daemons of a dead master still drain, waits for them up to `patience`, then kUnavailable.
  static base::Result<Instance> take(const std::string& run_folder, unsigned patience_seconds);

  int daemons_fd() const { return daemons_.get(); }

 private:
  base::UniqueFd master_, daemons_;
};

}  // namespace holdfast::master
