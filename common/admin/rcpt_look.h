// The recipients we know, and how an address stands now.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/rcpt_report.h"

namespace holdfast::admin {

// Empty fields mean all.
struct RecipientFilter {
  std::string domain;        // any case
  std::string source;        // "learnt", "local", "denied"
  std::string part;          // of the address, any case

  bool takes(std::string_view address, std::string_view its_source) const;
};

using RecipientVisit = std::function<void(const RecipientView&)>;

// Those of the configuration.
void each_configured(const config::Config& config, const RecipientFilter& wanted, const RecipientVisit& visit);

// Those of the directory whose key is behind `after`, in the order of their keys, by a look at a thousand of them. One
// whose time is over is not shown: it is unknown already.
struct RecipientPage {
  std::vector<RecipientView> recipients;
  std::string next;  // `after` of the next page; empty: that was all
};
base::Result<RecipientPage> stored_recipients(Gateway& gateway, const RecipientFilter& wanted,
                                              const std::string& after);
// All of them, page by page.
base::Status each_stored(Gateway& gateway, const RecipientFilter& wanted, const RecipientVisit& visit);

struct Checked {
  RecipientView view;
  std::string standing = "unknown";  // "known", "denied"
};
// kUsage: that is no address; kNotFound: of no domain of ours.
base::Result<Checked> check_recipient(Gateway& gateway, const std::string& text);

}  // namespace holdfast::admin
