<?php
/** Takes what the bridge sends. The rules are in `app/Inbox`, the same files that the plain PHP example uses. */

namespace App\Http\Controllers;

use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\DB;
use Inbox\Database;
use Inbox\Inbox;

class InboxController
{
    public function __invoke(Request $request, string $path): JsonResponse
    {
        $database = new Database(
            DB::connection()->getPdo(),
            fn (callable $work): mixed => DB::transaction(fn (): mixed => $work()),
        );
        $inbox = new Inbox($database, (string) config('inbox.secret'), (string) config('inbox.auth'));
        // The raw body: what Laravel trims and turns into null on the way would break the signature and the texts.
        [$status, $answer] = $inbox->handle(
            $request->method(),
            "/$path",
            $request->query(),
            array_map(fn (array $values): string => (string) $values[0], $request->headers->all()),
            $request->getContent(),
        );
        return new JsonResponse($answer, $status);
    }
}
