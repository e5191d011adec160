/** The example receivers tell a record that the database refuses from a database that is in trouble. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { django, isLeftOut, php } from "../support/http-crm.ts";

const EXAMPLES = join(import.meta.dirname, "../../bridge/examples");

const answerOf = (command: string, args: string[]): unknown => {
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return stdout === "" ? stderr : JSON.parse(stdout);
};

const needsPhp = php();
test.skipIf(isLeftOut(needsPhp))("PHP: by the class of the SQLSTATE, and MySQL's word about a text", () => {
  const code = `require $argv[1];
    $says = function (string $state, int $code): bool {
      $error = new PDOException('x');
      $error->errorInfo = [$state, $code, 'x'];
      return Inbox\\Database::isOfRecord($error);
    };
    echo json_encode([
      $says('22001', 7), $says('22003', 1264), $says('HY000', 1366), $says('23502', 7),
      $says('08006', 7), $says('40001', 1213), $says('HY000', 2006), $says('53100', 7),
    ]);`;
  expect(answerOf("php", ["-r", code, "--", join(EXAMPLES, "php/src/load.php")])).toEqual([
    ...[true, true, true, true],
    ...[false, false, false, false],
  ]);
});

const needsDjango = django();
test.skipIf(isLeftOut(needsDjango))("Django: by the kind of its error, and MySQL's word about a text", () => {
  const code = `
import json, os, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
import django
django.setup()
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from inbox.writing import is_of_record
errors = [
    DataError("value too long"), OperationalError(1366, "Incorrect string value"), IntegrityError("null"), OverflowError(),
    OperationalError("database is locked"), OperationalError(2006, "gone away"), InterfaceError("closed"),
]
print(json.dumps([is_of_record(error) for error in errors]))`;
  const python = "found" in needsDjango ? needsDjango.found : "python3";
  expect(answerOf(python, ["-c", code, join(EXAMPLES, "django")])).toEqual([
    ...[true, true, true, true],
    ...[false, false, false],
  ]);
});

test.each([
  ["php/schema.sql", /^ +\w*position (\w+)/gm, "BIGINT"],
  [
    "laravel/database/migrations/2026_01_01_000000_create_inbox_tables.php",
    /->(\w+)\('\w*position'\)/g,
    "bigInteger",
  ],
  ["django/inbox/models.py", /^ +\w*position = models\.(\w+)/gm, "BigIntegerField"],
])("%s has room for positions above a base that is made of the time", (file, columns, kind) => {
  const found = [...readFileSync(join(EXAMPLES, file), "utf8").matchAll(columns)].map(([, type]) => type);
  expect(found).toEqual(Array(7).fill(kind));
});
