// One request to the REST interface, with what is needed to answer it. Answers run on a thread of the desk; what is here
// may be used there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/report_look.h"
#include "common/admin/web_users.h"
#include "common/config/web.h"
#include "webd/ages.h"
#include "webd/audit.h"
#include "webd/http.h"
#include "webd/seen.h"

namespace holdfast::webd {

struct Caller {
  std::string name;     // of the user, or "token NAME"
  admin::Role role = admin::Role::kViewer;
  std::string session;  // the cookie; empty: by a token
  std::string token;    // the token's id; empty: by a session
};

// What all requests share. Its members are safe for threads.
struct House {
  std::string users_file, audit_file;
  AgesCache* ages = nullptr;
  Audit* audit = nullptr;
  Seen* seen = nullptr;
  // GET history's answer; the times are seconds since 1970.
  std::function<base::Result<std::string>(const std::vector<std::string>& names, std::int64_t from, std::int64_t to)> history;
  admin::HistoryReader read_history;  // for the report
  std::function<std::vector<std::string>()> locked_names;  // who has to wait before he may try a password again
};

struct Call {
  const Request& request;
  const Caller& caller;
  std::vector<std::string> names;         // of the path's braces
  std::shared_ptr<admin::Gateway> gateway;
  std::shared_ptr<const config::Web> web;
  const House& house;

  std::string detail;                     // for the audit: what exactly was done
  std::vector<std::string> closed_users;  // whose sessions are over by this
  bool keep_own_session = false;          // but for the caller's own
};

}  // namespace holdfast::webd
