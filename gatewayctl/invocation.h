// A run of gatewayctl: what the command line says to every command, and how errors are told. What is known of the
// gateway, and how it is shown, is common/admin's, which webd shares.
#pragma once

#include <functional>
#include <string>

#include "common/admin/gateway.h"
#include "common/base/error.h"

namespace holdfast::gatewayctl {

using namespace admin;  // its words are ours

struct Invocation {
  std::string config_file = "/etc/holdfast/gateway.yaml";
  bool json = false;
  int exit_code = 0;
};

// Prints the error and gives its exit code.
int report(const base::Error& error);

// Opens the gateway, runs `body` with it, and reports what went wrong; sets the exit code.
void with_gateway(Invocation& invocation, const std::function<base::Status(Gateway&)>& body);

}  // namespace holdfast::gatewayctl
