<?php
/** The smallest Laravel application in which the example can be pasted: its kernel, its database, its routes. */

use Illuminate\Contracts\Debug\ExceptionHandler as HandlesExceptions;
use Illuminate\Contracts\Http\Kernel as HandlesRequests;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Foundation\Http\Kernel;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;

$example = getenv('LARAVEL_EXAMPLE');
require '/usr/share/php/Illuminate/autoload.php';
require "$example/../php/src/load.php";
require "$example/app/Http/Controllers/InboxController.php";

$app = new Application(getenv('LARAVEL_BASE'));
$app->singleton(HandlesRequests::class, Kernel::class);
$app->singleton(HandlesExceptions::class, Handler::class);
$app->booted(fn () => Route::prefix('api')->group("$example/routes/inbox.php"));

if (PHP_SAPI === 'cli') {
    // Run by hand: the tables of the example's migrations.
    $app->make(HandlesRequests::class)->bootstrap();
    foreach (glob("$example/database/migrations/*.php") as $migration) {
        (require $migration)->up();
    }
    exit(0);
}

$kernel = $app->make(HandlesRequests::class);
$request = Request::capture();
$response = $kernel->handle($request)->send();
$kernel->terminate($request, $response);
