// What master does for webd beside starting it: its settings, its listening socket, its certificate, and the note by which
// daemons know it. Without webd, or without its socket, mail goes on.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/config/config.h"
#include "common/config/web.h"
#include "common/ipc/messages.h"

namespace holdfast::master {

class Web {
 public:
  // Reads the settings, binds the socket, packs the files. That the address cannot be had is a fault(), no error.
  static base::Result<Web> prepare(const config::Config& config);

  const config::Web& settings() const { return settings_; }
  bool wanted() const { return settings_.address().has_value(); }
  const std::string& fault() const { return fault_; }  // for the log; empty: none
  int socket() const { return socket_.get(); }         // -1: none
  int bag() const { return bag_.get(); }

  // A reload: kConfig when it needs a restart. Nothing is changed then.
  base::Result<config::Web> read_again(const config::Config& fresh) const;
  base::Status adopt(config::Web fresh);

  // run/webd.pid, root's: daemons that obey only root obey this process too (common/ipc/peer.h).
  void note(const std::string& run_folder, pid_t pid) const;
  static void forget(const std::string& run_folder);

 private:
  config::Web settings_;
  base::UniqueFd socket_, bag_;
  std::string fault_;
};

// master.config_check and master.config_diff: {"good", "warnings", "error"} of the admin's file, and {"changes": [{"name",
// "before", "after", "needs_restart"}…]} against what is in force.
ipc::ControlReply check_answer(const std::string& file);
ipc::ControlReply diff_answer(const config::Config& running, const config::Web& running_web);

}  // namespace holdfast::master
