// The gateway as gatewayctl sees it: its configuration, its sockets, its files. Everything that only reads
// works with dead daemons too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/ipc/messages.h"
#include "common/mail/queue_id.h"
#include "common/storage/directory.h"
#include "common/storage/queue_index.h"

namespace holdfast::gatewayctl {

// What the command line says to every command.
struct Invocation {
  std::string config_file = "/etc/holdfast/gateway.yaml";
  bool json = false;
  int exit_code = 0;
};

class Gateway {
 public:
  // The configuration as it lies there; if that is faulty, the running one, with a warning on standard error.
  static base::Result<Gateway> open(const std::string& config_file);

  const config::Config& config() const { return *config_; }
  storage::DirectoryReader& directory() { return *directory_; }
  // The queue's index with a view of this moment; kNotFound while nothing was ever kept.
  base::Status read_queue(const std::function<void(const storage::QueueIndex&, const storage::Txn&)>& questions);

  // One question to "master", "qmgr", "prober" or "alertd", and the whole answer: some of it may be done although it has an
  // exit code.
  base::Result<ipc::ControlReply> ask_all(const std::string& daemon, const std::string& command,
                                          const std::vector<std::string>& words, base::Seconds timeout) const;
  // The same where an answer with an exit code is an Error of that kind, and nothing else.
  base::Result<std::string> ask(const std::string& daemon, const std::string& command,
                                const std::vector<std::string>& words = {}, base::Seconds timeout = base::Seconds{30}) const;
  // What qmgr says of itself, as JSON; nothing when it does not answer.
  std::optional<std::string> qmgr_status() const;
  // The messages that qmgr has handed to deliver just now; nothing when it does not answer.
  std::optional<std::set<mail::QueueId>> active() const;

 private:
  explicit Gateway(config::Config config);

  std::unique_ptr<config::Config> config_;
  std::unique_ptr<storage::DirectoryReader> directory_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<storage::ReadTxn> txn_;
};

// The active messages in what qmgr_status() has said.
std::optional<std::set<mail::QueueId>> active_in(const std::string& qmgr_status);

// The error of an answer with an exit code.
base::Kind kind_of(int exit);

// Prints the error and gives its exit code.
int report(const base::Error& error);

// Opens the gateway, runs `body` with it, and reports what went wrong; sets the exit code.
void with_gateway(Invocation& invocation, const std::function<base::Status(Gateway&)>& body);

}  // namespace holdfast::gatewayctl
