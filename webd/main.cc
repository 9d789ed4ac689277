// The web: dashboard, REST interface, metrics.
#include "common/daemon/daemon.h"
#include "webd/service.h"

int main(int argc, char** argv) {
  return holdfast::daemon::run(argc, argv, {.name = "webd", .start = holdfast::webd::Webd::start});
}
