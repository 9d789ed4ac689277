#include "common/daemon/daemon.h"
#include "qmgr/service.h"

int main(int argc, char** argv) {
  return holdfast::daemon::run(argc, argv, {.name = "qmgr", .start = holdfast::qmgr::Qmgr::start});
}
