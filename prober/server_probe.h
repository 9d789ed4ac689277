// One probe of one server: its name is looked up, and each address gets a session at the same time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "prober/probe_session.h"

namespace holdfast::prober {

class ServerProbe : private ProbeSession::Owner {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_resolved(const std::string& server, const std::vector<std::string>& addresses) = 0;
    virtual void on_unresolved(const std::string& server, const std::string& reason) = 0;
    // See ProbeSession::Owner.
    virtual std::vector<Ask> on_verdict(const std::string& server, const std::string& address,
                                        const Verdict& verdict) = 0;
    virtual void on_answers(const std::string& server, const std::vector<Asked>& answers) = 0;
    // Last, once: destroy the probe later, not in here.
    virtual void on_probed(const std::string& server) = 0;
  };

  ServerProbe(net::Loop& loop, net::Resolver& resolver, config::HostPort server, ProbeSpec spec, Owner& owner);
  ~ServerProbe() override;

 private:
  void resolved(base::Result<std::vector<net::SocketAddress>> result);
  std::vector<Ask> on_verdict(const std::string& address, const Verdict& verdict) override;
  void on_finished(const std::string& address, const std::vector<Asked>& answers) override;

  net::Loop& loop_;
  const std::string server_;
  const ProbeSpec spec_;
  Owner& owner_;
  std::vector<std::unique_ptr<ProbeSession>> sessions_;
  std::size_t running_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the resolver may answer after our end
};

}  // namespace holdfast::prober
