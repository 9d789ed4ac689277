// Where Postfix sends a relayed domain's mail: transport(5), relay_transport, relayhost. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "import/found.h"
#include "import/postfix_map.h"

namespace holdfast::importer {

struct Route {
  Target target;
  std::vector<std::string> checks;
};

// "smtp:[10.0.0.5]:25", for mail to `domain`; `otherwise` is the transport where it names none, `relayhost` the next hop.
// kData: no way that Holdfast has, or none that is known for sure.
base::Result<Route> parse_transport(std::string_view text, const std::string& domain, const std::string& otherwise,
                                    const std::string& relayhost);

class Routes {
 public:
  Routes(std::string relay_transport, std::string relayhost)
      : relay_transport_(std::move(relay_transport)), relayhost_(std::move(relayhost)) {}

  void add(PostfixMap map) { maps_.push_back(std::move(map)); }
  base::Result<Route> of(const std::string& domain) const;
  // What the tables say of others than these domains, one text a kind.
  std::vector<std::string> not_of(const std::vector<std::string>& domains) const;

 private:
  const std::string* find(const std::string& domain) const;

  std::vector<PostfixMap> maps_;
  std::string relay_transport_, relayhost_;
};

}  // namespace holdfast::importer
