// webd: the dashboard, the REST interface and the metrics (design.md section 2). One loop; what may block runs on threads
// of four desks: quick answers, slow ones, reports, which read logs for long while an admin's deeds must not wait, and
// passwords, whose hashing takes long on purpose.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/history_keeper.h"
#include "common/config/web.h"
#include "common/daemon/daemon.h"
#include "webd/ages.h"
#include "webd/audit.h"
#include "webd/call.h"
#include "webd/desk.h"
#include "webd/gate.h"
#include "webd/live.h"
#include "webd/reporter.h"
#include "webd/routes.h"
#include "webd/server.h"

namespace holdfast::webd {

class Webd final : public daemon::Service {
 public:
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);

  void reload(config::ConfigPtr config) override;
  void listen(std::vector<base::UniqueFd> sockets) override;
  void drain(std::function<void()> done) override;

 private:
  using ExchangePtr = std::shared_ptr<Exchange>;
  using HistoryQuestions = std::function<void(const storage::History&, const storage::Txn&)>;

  Webd(daemon::Context& context, config::Web web);

  void handle(ExchangePtr exchange);
  void handle_api(const ExchangePtr& exchange);
  bool handle_session(const ExchangePtr& exchange, const std::string& word);
  void serve_file(Exchange& exchange);
  void serve_metrics(const ExchangePtr& exchange);

  void log_in(const ExchangePtr& exchange);
  void logged_in(const ExchangePtr& exchange, const std::string& name, const std::string& hash);
  void log_out(Exchange& exchange, const Caller& caller);
  void tell_session(Exchange& exchange, const Caller& caller);
  void open_live(const ExchangePtr& exchange, const Caller& caller);

  Desk& desk_of(Lane lane);
  void run(const ExchangePtr& exchange, const Match& match, const Caller& caller);
  std::string session_text(const std::string& name, admin::Role role, const std::string& csrf) const;
  void ended();
  static std::int64_t now_ms();
  void note(const Request& request, const std::string& name, std::string_view role, const std::string& action,
            const std::string& result);

  void use_tls();
  void open_door();
  void keep_history();
  void look_for_report();
  base::Status read_history(const HistoryQuestions& questions);
  base::Result<std::string> history(const std::vector<std::string>& names, std::int64_t from, std::int64_t to);
  std::shared_ptr<admin::Gateway> gateway_for(const std::string& user) const;

  net::Loop& loop_;
  config::ConfigPtr config_;
  std::shared_ptr<const config::Web> web_;
  std::shared_ptr<admin::Stores> stores_;
  Gate gate_;
  Audit audit_;
  Seen seen_;
  Reporter reporter_;
  AgesCache ages_;
  std::mutex history_door_;
  std::unique_ptr<admin::HistoryKeeper> history_;  // null: it cannot be opened
  House house_;
  Server server_;
  std::vector<base::UniqueFd> waiting_sockets_;  // until there is a certificate that can be used, where one is asked for
  bool tls_works_ = false;                        // or is not asked for
  Live live_;
  std::size_t under_way_ = 0;
  std::function<void()> drained_;
  net::Timer last_words_, history_timer_, report_timer_;
  Desk quick_, slow_, reports_, passwords_;  // last: their threads end first
};

}  // namespace holdfast::webd
