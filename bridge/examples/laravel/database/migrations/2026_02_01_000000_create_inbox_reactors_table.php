<?php
/** Which messages somebody reacted to under a hidden id; a row goes when that gets its number. */

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::create('inbox_reactors', function (Blueprint $table): void {
            $table->id();
            $table->string('session_id', 100);
            $table->string('hidden_id', 140);
            $table->foreignId('message_id')->constrained('inbox_messages')->cascadeOnDelete();
            $table->unique(['session_id', 'hidden_id', 'message_id'], 'inbox_reactors_key');
            $table->index('message_id');
        });
    }

    public function down(): void
    {
        Schema::dropIfExists('inbox_reactors');
    }
};
