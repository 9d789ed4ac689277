// The roads of the configuration: an address is one, a webhook, the command. A road sends one notice at a time and says
// what the other side answered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alertd/alert.h"
#include "alertd/curl.h"
#include "alertd/command_helper.h"
#include "alertd/report.h"
#include "common/config/config.h"
#include "common/net/loop.h"

namespace holdfast::alertd {

class Roads {
 public:
  using Done = std::function<void(const Answer&)>;

  Roads(net::Loop& loop, config::ConfigPtr config, CommandRunner& commands);
  ~Roads();

  void configure(config::ConfigPtr config);
  // "mail admin@elsewhere.test", "webhook 1 (hooks.example.test)", "command": no secrets, for listings and logs.
  std::vector<std::string> names() const;
  // Those of reports (report.h); they carry nothing else.
  std::vector<std::string> names_for_reports() const { return report_roads(config_->alerts); }
  // Both.
  std::vector<std::string> all_names() const;
  // `done` comes later, once, unless we are destroyed before.
  void send(const std::string& road, const Notice& notice, Done done);

 private:
  struct Letter;  // a mail under way
  void mail(const std::string& to, const Notice& notice, Done done);
  void try_relay(std::shared_ptr<Letter> letter);
  void post(const config::Webhook& hook, const Notice& notice, Done done);
  void run(const Notice& notice, Done done);
  void later(Done done, Answer answer);

  net::Loop& loop_;
  config::ConfigPtr config_;
  CommandRunner& commands_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Curl curl_;
};

}  // namespace holdfast::alertd
