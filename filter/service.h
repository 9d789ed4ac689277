// holdfast-filter as a daemon: the milter's thread, the policy as it is in force, and an eye on scans that do not end.
#pragma once

#include <memory>

#include "common/base/error.h"
#include "common/daemon/daemon.h"
#include "filter/milter.h"

namespace holdfast::filter {

class Service : public daemon::Service {
 public:
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);

  void reload(config::ConfigPtr config) override;
  void drain(std::function<void()> done) override;

  explicit Service(daemon::Context& context);

 private:
  base::Status open(const std::string& socket);
  void look();

  net::Loop& loop_;
  config::ConfigPtr config_;
  // Lives as long as the process: libmilter's threads may outlast us.
  Milter* milter_;
  net::Timer watch_, last_;
  std::function<void()> done_;
};

// The most memory that this process may take (RLIMIT_DATA), and where malloc gives it back early. To be called first of all.
void bound_memory();

}  // namespace holdfast::filter
